import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import type { Registry } from './registry.ts';

/** A host, with a port where there is one, in lower case (OCI distribution specification). */
export const registryServerForm =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;

/** By whatever name Docker Hub is called. */
const dockerHub: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

/**
 * A host with its port, as people write it: also as a URL, or as `https://index.docker.io/v1/`, by which
 * Docker's clients know Docker Hub.
 * @throws SandgateError `invalid_request`
 */
export function requireRegistryServer(text: string): Pick<Registry, 'server' | 'allowHttp'> {
  const [, scheme, rest = ''] = /^(https?:\/\/)?(.*?)(?:\/(?:v[12]\/?)?)?$/is.exec(text) ?? [];
  const host = rest.toLowerCase();
  // Else it would be taken for the first part of a name at Docker Hub.
  const isRegistry = registryServerForm.test(host) && registryNamedBy(`${host}/`) !== null;
  if (!isRegistry || keyPattern.test(text)) {
    throw new SandgateError(
      'invalid_request',
      'server: must be a host, with a port where there is one, as in registry.example:5000',
    );
  }
  const server = dockerHub.has(host) ? 'docker.io' : host;
  return { server, allowHttp: scheme?.toLowerCase() === 'http://' };
}

/** The first part of an image's name is a registry when it can be no part of a name. */
const named = /^(localhost(?::\d+)?|\[[^/]*\](?::\d+)?|[^/]*[.:][^/]*)\//;

/** The registry that the name of an image begins with. Null: it begins with none. */
export const registryNamedBy = (image: string): string | null => {
  const host = named.exec(image)?.[1]?.toLowerCase();
  if (host === undefined) return null;
  return dockerHub.has(host) ? 'docker.io' : host;
};

/** Of an image that may be named with or without its registry. Null: it names another. */
export function referenceAt(server: string, image: string): string | null {
  const host = registryNamedBy(image);
  if (host === null) return `${server}/${image}`;
  return host === server ? `${server}${image.slice(image.indexOf('/'))}` : null;
}
