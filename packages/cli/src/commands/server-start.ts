import type { ServerRecord } from '@sandgate/server';
import type { Command } from 'commander';
import { reportToParent, startDetached } from '../detached-server.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { keepUntilClosed } from '../foreground-server.ts';
import { withProgress } from '../progress.ts';
import { describeStart, launchServer, type ServerLaunch } from '../server-launch.ts';
import { loadServer } from '../server-module.ts';
import { announce, revokedText } from '../start-announcement.ts';
import { addStateOption, homeOf, type StateOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends StateOptions {
  readonly host?: string;
  readonly port?: string;
  readonly dev?: true;
  readonly key?: string;
  readonly keyFile?: string;
  readonly detach?: true;
  readonly resetKey?: true;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly logLevel?: string;
}

/** Relative paths are those of the folder where the command is typed. */
async function readLaunch(terminal: Terminal, options: Options): Promise<ServerLaunch> {
  const { host, port, logLevel, tlsCert, tlsKey } = options;
  const { chooseServerKeySource } = await loadServer();
  return {
    home: await homeOf(terminal, options),
    flags: { host, port, logLevel, tlsCert, tlsKey },
    developmentMode: options.dev === true,
    resetServerKey: options.resetKey === true,
    serverKeySource: chooseServerKeySource({
      argument: options.key,
      keyFile: options.keyFile,
      environment: terminal.environment.SANDGATE_SERVER_KEY,
    }),
  };
}

/** A server runs already: says so, and does what can be done to it. */
async function meetRunningServer(
  terminal: Terminal,
  { home, resetServerKey }: ServerLaunch,
  record: ServerRecord | null,
): Promise<void> {
  const place = record?.address ? ` on ${record.address}` : '';
  const pid = record === null ? '' : ` (PID ${record.pid})`;
  terminal.print(`A server is already running${place}${pid}. To stop it: msb server stop`);
  if (!resetServerKey) return;
  const { controlClient } = await loadServer();
  const result = await controlClient.resetServerKey(home);
  if (result === null) throw failure('It takes no commands yet. Try again in a moment.');
  terminal.print(revokedText(result.revokedKeys));
}

async function startHere(terminal: Terminal, launch: ServerLaunch): Promise<void> {
  const starting = launchServer(terminal, launch);
  const outcome = await withProgress(terminal, 'Starting the server', starting);
  if (outcome.kind === 'already_running') {
    return meetRunningServer(terminal, launch, outcome.record);
  }
  // Signals are listened for before anybody can read that they are.
  const kept = keepUntilClosed(terminal, outcome.server);
  announce(terminal, describeStart(launch, outcome.server));
  terminal.note('Press Ctrl-C to stop.');
  await kept;
}

async function startInBackground(terminal: Terminal, launch: ServerLaunch): Promise<void> {
  const { findRunningServer, prepareHome } = await loadServer();
  const running = await findRunningServer(launch.home);
  if (running !== null) return meetRunningServer(terminal, launch, running);
  for (const warning of await prepareHome(launch.home)) terminal.note(`Warning: ${warning}`);
  const start = await withProgress(terminal, 'Starting the server', startDetached(launch));
  if (start.kind === 'already_running') return meetRunningServer(terminal, launch, start.record);
  announce(terminal, start.server);
}

export function addServerStart(parent: Command, terminal: Terminal): void {
  const command = addStateOption(parent.command('start'))
    .description('Start the server. At its first start it makes an operator key and prints it.')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'port to listen on (default: 5555)')
    .option('--dev', 'development mode: no API key is asked for, on this machine alone')
    .option('-k, --key <key>', 'the server key itself; others can see it in ps')
    .option('--key-file <file>', 'file that holds the server key')
    .option('-d, --detach', 'run in the background, and return when the port answers')
    .option('-r, --reset-key', 'make a new server key: every API key becomes invalid')
    .option('--tls-cert <file>', 'certificate chain in PEM: serve HTTPS')
    .option('--tls-key <file>', 'private key of the certificate, in PEM')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (default: info)')
    .action(async (options: Options) => {
      const launch = await readLaunch(terminal, options);
      await (options.detach === true ? startInBackground : startHere)(terminal, launch);
    });
  addExamples(
    command,
    'msb server start',
    'msb server start --detach --port 6000',
    'msb server start --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem',
    'msb server start --reset-key',
  );
}

/** What `--detach` runs in the background. */
export function addServeDetached(parent: Command, terminal: Terminal): void {
  parent.command('serve-detached', { hidden: true }).action(async () => {
    let kept: Promise<void> = Promise.resolve();
    await reportToParent(async (launch) => {
      const outcome = await launchServer(terminal, launch);
      if (outcome.kind === 'already_running') return outcome;
      kept = keepUntilClosed(terminal, outcome.server);
      return { kind: 'started', server: describeStart(launch, outcome.server) };
    });
    await kept;
  });
}
