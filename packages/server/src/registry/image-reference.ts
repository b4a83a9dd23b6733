import { registryNamedBy, registryServerForm, SandgateError } from '@sandgate/core';

/** What a reference says, with what is left out filled in as Docker does. */
export interface ImageReference {
  /** Host with a port where there is one, in lower case, as in `ghcr.io` or `registry.example:5000`. */
  readonly registry: string;
  /** As in `library/debian`. */
  readonly repository: string;
  /** Of what is asked for: a digest, which wins over a tag, or the tag. */
  readonly version: string;
}

const dockerHub = 'docker.io';

/** Forms of the OCI distribution specification 1.1, "Pulling manifests". */
const repositoryForm =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
export const digestForm = /^sha256:[0-9a-f]{64}$/;
const maxReferenceCharacters = 512;
const maxRepositoryCharacters = 255;

/** @throws SandgateError `invalid_request` */
export function parseImageReference(text: string): ImageReference {
  const wrong = (why: string): SandgateError =>
    new SandgateError(
      'invalid_request',
      `The image reference ${JSON.stringify(text.slice(0, 100))} cannot be used: ${why}. Write it as in registry.example/team/app:1.2`,
    );
  if (text.length > maxReferenceCharacters) throw wrong('it is too long');
  const [named = '', digest, ...rest] = text.split('@');
  if (rest.length > 0) throw wrong('it has more than one digest');
  if (digest !== undefined && !digestForm.test(digest)) {
    throw wrong('its digest is not sha256 with 64 hexadecimal digits');
  }
  const host = registryNamedBy(named);
  const registry = host ?? dockerHub;
  const path = host === null ? named : named.slice(named.indexOf('/') + 1);
  const [, repository = '', tag] = /^([^:]*)(?::(.*))?$/s.exec(path) ?? [];
  if (!registryServerForm.test(registry)) throw wrong('its registry is not a host name');
  if (repository.length > maxRepositoryCharacters || !repositoryForm.test(repository)) {
    throw wrong('its name has other characters than a-z, 0-9 and separators');
  }
  if (tag !== undefined && !tagForm.test(tag)) throw wrong('its tag is none');
  const full =
    registry === dockerHub && !repository.includes('/') ? `library/${repository}` : repository;
  return { registry, repository: full, version: digest ?? tag ?? 'latest' };
}

/** Where a registry's API is. Docker Hub's is at another name than its images have. */
export function registryUrl(
  { registry }: Pick<ImageReference, 'registry'>,
  allowHttp: boolean,
): string {
  const host = registry === dockerHub ? 'registry-1.docker.io' : registry;
  return `${allowHttp ? 'http' : 'https'}://${host}`;
}

/** A reference that always means this manifest. */
export const pinnedReference = ({ registry, repository }: ImageReference, digest: string): string =>
  `${registry}/${repository}@${digest}`;
