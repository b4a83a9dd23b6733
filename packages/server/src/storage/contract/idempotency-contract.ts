import type { IdempotencyScope } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';

export function describeIdempotency(stores: StoresUnderTest): void {
  describe('idempotency', () => {
    const scope: IdempotencyScope = {
      owner: 'key:1',
      method: 'POST',
      path: '/sandboxes',
      key: 'é-1',
    };
    const request = { fingerprint: 'f', nowMs: 10, expiresAtMs: 100 };
    const answer = { status: 201, headers: { 'x-a': 'b' }, body: '{"ü":1}' };

    it('lets one of any number begin, and gives the others its answer when there is one', async () => {
      const claims = await Promise.all(
        [stores.storage, stores.other, stores.storage].map((store) =>
          store.idempotency.begin(scope, request),
        ),
      );
      expect(claims.map(({ kind }) => kind).toSorted()).toEqual(['begun', 'running', 'running']);
      await stores.storage.idempotency.finish(scope, answer);
      expect(await stores.other.idempotency.begin(scope, { ...request, fingerprint: 'g' })).toEqual(
        {
          kind: 'done',
          fingerprint: 'f',
          answer,
        },
      );
    });

    it.each(['owner', 'method', 'path', 'key'] as const)(
      'takes the same key with another %s for another request',
      async (part) => {
        await stores.storage.idempotency.begin(scope, request);
        const other = { ...scope, [part]: 'x' };
        expect(await stores.storage.idempotency.begin(other, request)).toEqual({ kind: 'begun' });
      },
    );

    it('forgets what was abandoned or has expired, and no answer otherwise', async () => {
      const { idempotency } = stores.storage;
      await idempotency.begin(scope, request);
      await idempotency.abandon(scope);
      expect(await idempotency.begin(scope, request)).toEqual({ kind: 'begun' });
      await idempotency.finish(scope, answer);
      await idempotency.abandon(scope);
      expect(await idempotency.begin(scope, { ...request, nowMs: 99 })).toMatchObject({
        kind: 'done',
      });
      expect(await idempotency.begin(scope, { ...request, nowMs: 100, expiresAtMs: 200 })).toEqual({
        kind: 'begun',
      });
    });

    it('forgets after a crash what was in progress, and prunes what expired', async () => {
      const { idempotency } = stores.storage;
      const done = { ...scope, key: 'done' };
      await idempotency.begin(scope, request);
      await idempotency.begin(done, request);
      await idempotency.finish(done, answer);
      expect(await stores.other.idempotency.abandonAll()).toBe(1);
      expect(await idempotency.begin(scope, request)).toEqual({ kind: 'begun' });
      expect(await idempotency.prune(99, 10)).toBe(0);
      expect(await idempotency.prune(100, 1)).toBe(1);
      expect(await idempotency.prune(100, 10)).toBe(1);
    });
  });
}
