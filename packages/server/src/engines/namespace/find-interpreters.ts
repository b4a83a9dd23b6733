import { homedir } from 'node:os';
import type { EngineFinding, KernelLanguage } from '@sandgate/core';
import { defaultInterpreterDirectory, type NamespaceEngineOptions } from './engine-options.ts';
import { systemSearchPath } from './find-program.ts';
import type { LaunchContext } from './launch-sandbox.ts';
import { findNode } from './template/find-node.ts';
import { findPythons } from './template/find-python.ts';
import type { HostInterpreter } from './template/template.ts';
import { tryProgram } from './try-program.ts';

/** The first interpreter of each language that runs in a sandbox, and what is to be said about it. */
export async function findInterpreters(
  context: LaunchContext,
  options: NamespaceEngineOptions,
  probeId: string,
  findings: EngineFinding[],
): Promise<HostInterpreter[]> {
  const dropped = context.identities.drops;
  const found: HostInterpreter[] = [];
  const candidates: Record<KernelLanguage, readonly HostInterpreter[]> = {
    python: await findPythons({
      dropped,
      searchPath: options.searchPath ?? systemSearchPath,
      file: options.pythonPath,
      isPrivate: (directory) => context.guard.holdsOwn(directory) || holdsHome(directory),
    }),
    node: [
      findNode({
        dropped,
        interpreterDirectory: options.interpreterDirectory ?? defaultInterpreterDirectory,
      }),
    ],
  };
  const checks: Record<KernelLanguage, readonly string[]> = {
    python: ['python3', '-c', 'import ast, json, signal, traceback'],
    node: ['node', '--version'],
  };
  for (const language of ['python', 'node'] as const) {
    const failures: string[] = [];
    let works: HostInterpreter | null = null;
    for (const candidate of candidates[language]) {
      const failure = await tryProgram(context, [candidate], probeId, checks[language]);
      if (failure === null) {
        works = candidate;
        break;
      }
      failures.push(`${candidate.description} does not run in a sandbox: ${failure}`);
    }
    if (works !== null) found.push(works);
    findings.push(
      works === null
        ? missingInterpreter(language, failures, options.pythonPath)
        : { subject: language, status: 'ok', message: works.description },
    );
  }
  return found;
}

/** An installation in there cannot be told from what else is in somebody's home. */
function holdsHome(directory: string): boolean {
  const homes = ['/home', '/root', homedir()];
  return homes.some((home) => `${home}/`.startsWith(`${directory}/`.replace('//', '/')));
}

function missingInterpreter(
  language: KernelLanguage,
  failures: readonly string[],
  pythonPath: string | undefined,
): EngineFinding {
  const named = language === 'python' ? pythonPath : undefined;
  const message =
    named === undefined
      ? `No ${language} was found that a sandbox can use.`
      : `The configured Python ${named} cannot be used: it has to be an installed Python 3.8 or newer that every user can read, in a directory that holds neither homes nor this server's state.`;
  const remedies: Record<KernelLanguage, string> = {
    python:
      named === undefined
        ? 'Install Python 3.8 or newer, as in `apt-get install python3`.'
        : 'Set SANDGATE_PYTHON to another one, or leave it out to use the first that works.',
    node: 'Start the server with a Node.js that every user can read.',
  };
  const text = failures.length === 0 ? message : `${message} ${failures.join(' ')}`;
  return { subject: language, status: 'missing', message: text, remedy: remedies[language] };
}
