import { describe, expect, it } from 'vitest';
import { brimbleRoutes } from './brimble-routes.ts';
import { matchRoute, pathSegments } from './match-route.ts';
import { doorSegments } from './mount.ts';

const find = (method: string, path: string) =>
  matchRoute(brimbleRoutes, method, pathSegments(path));

describe('which paths are this door’s', () => {
  const of = (path: string, hasKey: boolean) => doorSegments(pathSegments(path), () => hasKey);

  it('takes everything beneath its own prefix, and keys of an account at the root', () => {
    expect(of('/brimble/sandboxes', false)).toEqual(['sandboxes']);
    expect(of('/core/v1/api-key/create', false)).toEqual(['core', 'v1', 'api-key', 'create']);
  });

  it('takes its things at the root where its key is, and leaves all else to the other doors', () => {
    expect(of('/sandboxes/x/', true)).toEqual(['sandboxes', 'x']);
    expect(of('/sandboxes', false)).toBeNull();
    for (const path of ['/', '/api/v1/rpc', '/mcp', '/modbox/auth/login', '/core/v1/other']) {
      expect(of(path, true)).toBeNull();
    }
  });
});

describe('which route a path is', () => {
  it('looks for fixed names before ids, and takes a file called batch for a file', () => {
    expect(find('GET', '/sandboxes/regions').route.path).toBe('/sandboxes/regions');
    expect(find('GET', '/sandboxes/snapshots').route.path).toBe('/sandboxes/snapshots');
    expect(find('POST', '/sandboxes/x/files/batch').route.path).toMatch(/batch$/);
    expect(find('PUT', '/sandboxes/x/files/batch').rest).toEqual(['batch']);
  });

  it('leaves segments as they were sent, and drops empty ones', () => {
    const { params, rest } = find('GET', '/sandboxes/x/files//a%2520b/..//c/');
    expect({ params, rest }).toEqual({ params: { sandboxId: 'x' }, rest: ['a%2520b', '..', 'c'] });
  });

  it('says which methods an address takes, or that there is nothing', () => {
    expect(() => find('PATCH', '/volumes/x')).toThrow('This address takes GET, DELETE');
    expect(() => find('GET', '/sandboxes/x/y/z')).toThrow('There is nothing at this address');
  });
});
