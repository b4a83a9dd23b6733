import { SandgateError } from '@sandgate/core';

/** RFC 6570. A path that ends with `/` is that of a directory. */
export const resourceTemplate = 'sandbox://{sandbox}/{+path}{?namespace}';

/** What a URI names, as the arguments that tools of files take. */
export interface FileAddress {
  readonly sandbox: string;
  /** Absolute. */
  readonly path: string;
  readonly namespace?: string;
}

const form = /^sandbox:\/\/([^/?#]+)(\/[^?#]*)(?:\?namespace=([^?#&]+))?$/;

/** @throws SandgateError `invalid_request` */
export function readResourceUri(uri: string): FileAddress {
  const [, sandbox, path, namespace] = form.exec(uri) ?? [];
  try {
    if (sandbox !== undefined && path !== undefined) {
      return {
        sandbox: decodeURIComponent(sandbox),
        path: decodeURIComponent(path),
        ...(namespace === undefined ? {} : { namespace: decodeURIComponent(namespace) }),
      };
    }
  } catch {
    // A percent sign that begins no encoded character.
  }
  throw new SandgateError(
    'invalid_request',
    `uri: must be ${resourceTemplate}, as in sandbox://box/workspace/notes.txt, with %, ? and # in a path encoded`,
  );
}

export function writeResourceUri({ sandbox, path, namespace }: FileAddress): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`;
  return `sandbox://${encodeURIComponent(sandbox)}${encoded}${query}`;
}

/** Of the text alone: it may be no URI of a resource at all. */
export const isDirectoryUri = (uri: string): boolean => /^[^?#]*\/(\?|$)/.test(uri);
