import { SandgateError } from '@sandgate/core';

/** Linux takes no longer ones (path_resolution(7), PATH_MAX). */
const maxPathBytes = 4_095;

/**
 * A path for a program inside. It begins with a slash, so that no program takes it for an option, and
 * ends without one, so that a link at its end is the link.
 * @throws SandgateError `invalid_request`
 */
export function requirePath(path: string): string {
  if (!path.startsWith('/') || path.includes('\0')) {
    throw new SandgateError('invalid_request', 'A path of a sandbox is absolute and has no NUL.');
  }
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new SandgateError('invalid_request', `A path has at most ${maxPathBytes} bytes.`);
  }
  return path.replace(/(?<=.)\/+$/, '');
}

/** A path at which a file can be. @throws SandgateError `invalid_request` */
export function requireFilePath(path: string): string {
  if (requirePath(path) === path && path !== '/') return path;
  throw new SandgateError('invalid_request', 'The path of a file does not end with a slash.');
}

/** The path of what is in a directory. */
export const joinPath = (directory: string, name: string): string =>
  directory === '/' ? `/${name}` : `${directory}/${name}`;
