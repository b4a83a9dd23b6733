import { SandgateError } from '@sandgate/core';

/** Linux refuses longer ones (execve(2), MAX_ARG_STRLEN). */
const maxArgumentBytes = 131_071;

/** @throws SandgateError `invalid_request` */
export function requireShortArguments(words: readonly string[]): void {
  for (const word of words) {
    if (Buffer.byteLength(word) > maxArgumentBytes) {
      throw new SandgateError(
        'invalid_request',
        `An argument or variable is longer than ${maxArgumentBytes} bytes; pass it as input or in a file.`,
      );
    }
  }
}

/** The program of a command. @throws SandgateError `invalid_request` when there is none */
export function requireProgram(argv: readonly string[]): string {
  const [program] = argv;
  if (program !== undefined) return program;
  throw new SandgateError('invalid_request', 'A command needs at least the name of a program.');
}

/**
 * Variables that some shell keeps for itself, or that are the agent's: `env` sets them. The others the
 * agent exports, since what `env` is given can be seen in the host's list of processes for a moment.
 */
const shellsOwn =
  /^(_|_agent_.*|BASH.*|CDPATH|ENV|EUID|GROUPS|HIST.*|IFS|LINENO|MAIL.*|OLDPWD|OPTARG|OPTIND|OPTERR|POSIXLY_CORRECT|PPID|PS[0-9]|PWD|RANDOM|SECONDS|SHELLOPTS|UID)$/;

export const isShellsOwn = (name: string): boolean => shellsOwn.test(name);

/** @throws SandgateError `invalid_request` */
export function requireVariableName(name: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new SandgateError(
      'invalid_request',
      'A variable is named with letters, digits and underscores, and does not start with a digit.',
    );
  }
}
