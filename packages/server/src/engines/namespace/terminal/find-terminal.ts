import type { EngineFinding } from '@sandgate/core';
import { terminalCommand } from '../../terminal/terminal-command.ts';
import {
  pythonTerminal,
  scriptTerminal,
  type TerminalProgram,
} from '../../terminal/terminal-program.ts';
import { guestEngineDirectory } from '../engine-options.ts';
import { findProgram, systemSearchPath } from '../find-program.ts';
import type { LaunchContext } from '../launch-sandbox.ts';
import { guestInterpreterDirectory, type HostInterpreter } from '../template/template.ts';
import { tryProgram } from '../try-program.ts';

/** By the Python of the templates. */
export const templatePythonTerminal = pythonTerminal(
  `${guestInterpreterDirectory}/python3`,
  `${guestEngineDirectory}/kernel`,
);

/** The first way to make a terminal that works in a sandbox, and what is to be said about it. */
export async function findTerminal(
  context: LaunchContext,
  interpreters: readonly HostInterpreter[],
  probeId: string,
  findings: EngineFinding[],
): Promise<TerminalProgram | null> {
  const script = findProgram('script', systemSearchPath);
  const hasPython = interpreters.some(({ language }) => language === 'python');
  const candidates = [
    ...(script === null ? [] : [scriptTerminal(script)]),
    ...(hasPython ? [templatePythonTerminal] : []),
  ];
  const failures: string[] = [];
  for (const candidate of candidates) {
    const check = ['/bin/sh', '-c', 'test -t 0 && exit 3'];
    const command = terminalCommand(candidate, check, { columns: 80, rows: 24 });
    const expected = ['/bin/sh', '-c', '"$@" >/dev/null; [ "$?" = 3 ]', 'sh', ...command];
    const failure = await tryProgram(context, interpreters, probeId, expected);
    if (failure === null) {
      const message = `Terminals are made by ${candidate.description}.`;
      findings.push({ subject: 'terminals', status: 'ok', message });
      return candidate;
    }
    failures.push(`${candidate.description} makes none: ${failure}.`);
  }
  findings.push({
    subject: 'terminals',
    status: 'degraded',
    message: `Sandboxes have no terminals. ${failures.join(' ')}`.trim(),
    remedy: 'Install `script` of util-linux (in Debian, the package bsdutils), or Python.',
  });
  return null;
}
