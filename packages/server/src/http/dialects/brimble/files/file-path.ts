import { SandgateError } from '@sandgate/core';

const refuse = (problem: string): SandgateError =>
  new SandgateError('invalid_request', `Invalid file path: ${problem}`);

/**
 * The absolute path that segments of a URL stand for. Each is decoded once: a name that still looks
 * encoded afterwards is called so.
 * @throws SandgateError `invalid_request`
 */
export const pathOfSegments = (segments: readonly string[]): string =>
  pathOfNames(segments.map(decode));

/** The same of a path in a body, which is not encoded. */
export const pathOfText = (path: string): string =>
  pathOfNames(path.split('/').filter((name) => name !== ''));

function decode(segment: string): string {
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    throw refuse('it is not percent-encoded UTF-8');
  }
  if (name.includes('/')) throw refuse('a slash in a name cannot be encoded');
  return name;
}

function pathOfNames(names: readonly string[]): string {
  if (names.length === 0) throw refuse('it is empty');
  if (names.some((name) => name === '.' || name === '..')) {
    throw refuse('"." and ".." are not allowed');
  }
  if (names.some((name) => name.includes('\0'))) throw refuse('it contains a NUL character');
  return `/${names.join('/')}`;
}

/** Where a file is put. */
export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
