import { expect, it } from 'vitest';
import { parseImageReference, pinnedReference, registryUrl } from './image-reference.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

it.each([
  ['debian', 'docker.io', 'library/debian', 'latest'],
  ['debian:12', 'docker.io', 'library/debian', '12'],
  ['team/app', 'docker.io', 'team/app', 'latest'],
  ['docker.io/debian', 'docker.io', 'library/debian', 'latest'],
  ['index.docker.io/team/app:x', 'docker.io', 'team/app', 'x'],
  ['GHCR.io/owner/name:1.2', 'ghcr.io', 'owner/name', '1.2'],
  ['localhost/app', 'localhost', 'app', 'latest'],
  ['registry.example:5000/a/b/c:t', 'registry.example:5000', 'a/b/c', 't'],
  ['[2001:db8::1]:5000/app', '[2001:db8::1]:5000', 'app', 'latest'],
  [`ghcr.io/a/b:tag@${digest}`, 'ghcr.io', 'a/b', digest],
])('reads %s', (text, registry, repository, version) => {
  const reference = parseImageReference(text);
  expect(reference).toEqual({ registry, repository, version });
  const pinned = pinnedReference(reference, digest);
  expect(parseImageReference(pinned)).toEqual({ registry, repository, version: digest });
});

it('calls Docker Hub where its registry is', () => {
  expect(registryUrl(parseImageReference('debian'), false)).toBe('https://registry-1.docker.io');
  expect(registryUrl(parseImageReference('localhost:5/a'), true)).toBe('http://localhost:5');
});
