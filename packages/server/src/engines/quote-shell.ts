import { SandgateError } from '@sandgate/core';

/**
 * One word for a POSIX shell, whatever is in the text: between single quotes nothing has a meaning
 * but a single quote (POSIX.1-2024, XCU 2.2.2).
 * @throws SandgateError `invalid_request` for a NUL, which no argument of a program can hold.
 */
export function quoteShell(text: string): string {
  if (text.includes('\0')) {
    throw new SandgateError('invalid_request', 'Arguments, paths and variables cannot hold a NUL.');
  }
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command line of quoted words, ended by a newline. */
export function shellCall(name: string, ...words: readonly string[]): string {
  return `${[name, ...words.map(quoteShell)].join(' ')}\n`;
}
