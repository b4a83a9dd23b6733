import { Command, CommanderError } from 'commander';
import { addAudit } from './commands/audit.ts';
import { addCopy } from './commands/copy.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEgress } from './commands/egress.ts';
import { addExec } from './commands/exec.ts';
import { addImages } from './commands/images.ts';
import { addKeygen } from './commands/keygen.ts';
import { addKeys } from './commands/keys.ts';
import { addMcp } from './commands/mcp.ts';
import { addRegistries } from './commands/registries.ts';
import { addRun } from './commands/run.ts';
import { addSandboxes } from './commands/sandboxes.ts';
import { addServerList } from './commands/server-list.ts';
import { addServerLog } from './commands/server-log.ts';
import { addServerRemove } from './commands/server-remove.ts';
import { addServeDetached, addServerStart } from './commands/server-start.ts';
import { addServerStatus } from './commands/server-status.ts';
import { addServerStop } from './commands/server-stop.ts';
import { addShell } from './commands/shell.ts';
import { addSnapshots } from './commands/snapshots.ts';
import { addTemplates } from './commands/templates.ts';
import { addUsage } from './commands/usage.ts';
import { addUsers } from './commands/users.ts';
import { addVersion } from './commands/version.ts';
import { addVolumes } from './commands/volumes.ts';
import { Exit, exitCodes } from './exit.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';

const serverCommands = [
  addServerStart,
  addServerStop,
  addServerStatus,
  addServerList,
  addServerLog,
  addServerRemove,
  addKeygen,
  addKeys,
  addServeDetached,
];

/** Commander ends the process itself unless every command is told not to. */
function throwInsteadOfExit(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.write(text),
    writeErr: (text) => terminal.note(text.trimEnd()),
    // Every error begins alike.
    outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')),
  });
  for (const subcommand of command.commands) throwInsteadOfExit(subcommand, terminal);
}

function buildProgram(terminal: Terminal): Command {
  const program = new Command('msb')
    // Lets `exec` leave the options of the program that it runs to that program.
    .enablePositionalOptions()
    .description('Start a Sandgate server, manage its keys and sandboxes, and run code in them.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 no server runs. exec ends with the exit code\nof its command.',
    );
  const server = program.command('server').description('Start, stop and manage the server.');
  for (const add of serverCommands) add(server, terminal);
  addKeys(program, terminal);
  addUsers(program, terminal);
  for (const add of [
    addUsage,
    addAudit,
    addSandboxes,
    addShell,
    addCopy,
    addEgress,
    addSnapshots,
    addVolumes,
    addTemplates,
    addImages,
    addRegistries,
    addRun,
    addExec,
    addMcp,
    addDoctor,
    addVersion,
  ]) {
    add(program, terminal);
  }
  throwInsteadOfExit(program, terminal);
  return program;
}

/** Wrong usage was explained already, and so was asked-for help. */
const codeOfUsage = (error: CommanderError): number =>
  error.code === 'commander.help' || error.exitCode !== 0 ? exitCodes.usage : 0;

/**
 * Runs one command line, without the program's own name.
 * @returns the exit code
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await buildProgram(terminal).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return codeOfUsage(error);
    const message = error instanceof Error ? error.message : String(error);
    if (message !== '') terminal.note(`Error: ${message}`);
    return error instanceof Exit ? error.code : exitCodes.failure;
  }
}
