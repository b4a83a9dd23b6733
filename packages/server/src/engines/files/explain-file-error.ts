import { type ErrorCode, SandgateError } from '@sandgate/core';

interface Explanation {
  readonly code: ErrorCode;
  /** For the caller, about the path. */
  readonly sentence: (path: string) => string;
  /** One line of a program about it. What the system said stands at the end. */
  readonly line: RegExp;
}

/** What programs say in the C locale, as there is no other way to learn the error that they met. */
const explanations: readonly Explanation[] = [
  {
    code: 'file_not_found',
    sentence: (path) => `There is no ${path} in this sandbox.`,
    line: /: (No such file or directory|No such file|Directory nonexistent)$/,
  },
  {
    code: 'file_exists',
    sentence: (path) => `Something is at ${path} already.`,
    line: /: File exists$/,
  },
  {
    code: 'file_denied',
    sentence: (path) => `The sandbox's user has no right to do that with ${path}.`,
    line: /: (Permission denied|Operation not permitted|Read-only file system|Device or resource busy|Text file busy)$/,
  },
  {
    code: 'file_denied',
    sentence: () => 'The root of a sandbox stays where it is.',
    line: /^rm: it is dangerous to operate recursively on /,
  },
  {
    code: 'file_conflict',
    sentence: (path) => `${path} is no regular file.`,
    line: /: (Is a directory|Not a regular file)$/,
  },
  {
    code: 'file_conflict',
    sentence: (path) => `${path} is no directory, or leads through something that is none.`,
    line: /: (Not a directory|Too many levels of symbolic links)$/,
  },
  {
    code: 'file_conflict',
    sentence: (path) => `The directory ${path} is not empty.`,
    line: /: Directory not empty$/,
  },
  {
    code: 'file_conflict',
    sentence: (path) => `A directory cannot be moved into itself, as to ${path}.`,
    line: /^mv: cannot move .* to a subdirectory of itself, /,
  },
  {
    code: 'file_conflict',
    sentence: (path) =>
      `A directory of the archive is in ${path} a file or a link, or the other way round.`,
    line: /^cp: cannot overwrite (non-)?directory /,
  },
  {
    code: 'disk_full',
    sentence: (path) => `There is no room for ${path} on the sandbox's disk.`,
    line: /: (No space left on device|Disk quota exceeded|File too large|Cannot allocate memory)$/,
  },
  {
    code: 'invalid_request',
    sentence: (path) => `${path} cannot be the name of a file.`,
    line: /: (File name too long|Invalid argument)$/,
  },
  {
    code: 'invalid_request',
    sentence: () => 'What was sent is no complete tar archive, or has names that lead out of it.',
    line: /: (This does not look like a tar archive|Unexpected EOF in archive|Member name contains '\.\.')$/,
  },
];

/** SIGKILL, which here comes from the kernel when the memory is full. */
const killed = 137;

/** What went wrong, by what a program wrote to its stderr: the first of its lines that is understood. */
export function explainFileError(text: string, exitCode: number, path: string): SandgateError {
  const quoted = JSON.stringify(path);
  for (const line of text.split('\n')) {
    const found = explanations.find((explanation) => explanation.line.test(line));
    if (found !== undefined) {
      return new SandgateError(found.code, found.sentence(quoted), { detail: line });
    }
  }
  if (exitCode === killed) {
    return new SandgateError('disk_full', "The sandbox's memory, which holds its files, is full.");
  }
  return new SandgateError('engine_failed', `A program that was to work on ${quoted} failed.`, {
    detail: `it ended with ${exitCode}: ${text}`,
  });
}
