import type { Session } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleDigest, sampleId, storePerson } from './sample-records.ts';

const refreshMs = 1_800;
const raceMs = 5;

export function describeSessions(stores: StoresUnderTest): void {
  describe('sessions', () => {
    const session = (number: number, changes: Partial<Session> = {}): Session => ({
      id: sampleId(number),
      userId: sampleId(1),
      createdAtMs: 1_000,
      refreshedAtMs: 1_000,
      expiresAtMs: 1_000 + refreshMs,
      endsAtMs: 10_000,
      address: '192.0.2.7',
      agent: 'a client with an é',
      endedAtMs: null,
      ...changes,
    });
    const refresh = (shown: string, next: string, nowMs: number, store = stores.storage) =>
      store.sessions.refresh({
        digest: sampleDigest(shown),
        nextDigest: sampleDigest(next),
        nowMs,
        refreshMs,
        raceMs,
      });

    beforeEach(async () => {
      await storePerson(stores.storage, 1);
      await stores.storage.sessions.insert(session(7), sampleDigest('first'));
    });

    it('finds a session with its user until it has ended, on every connection', async () => {
      const found = await stores.other.sessions.findWithUser(sampleId(7));
      expect(found?.session).toEqual(session(7));
      expect(found?.user).toMatchObject({ number: 1, email: 'person1@example.com' });
      expect(await stores.other.sessions.end(sampleId(1), sampleId(7), 1_500)).toBe(true);
      expect(await stores.storage.sessions.findWithUser(sampleId(7))).toBeNull();
      expect(await stores.storage.sessions.end(sampleId(1), sampleId(7), 1_600)).toBe(false);
    });

    it('exchanges a token once, and moves the expiry up to the end', async () => {
      const first = await refresh('first', 'second', 2_000);
      expect(first).toMatchObject({ kind: 'refreshed', session: { expiresAtMs: 3_800 } });
      await refresh('second', 'third', 3_799);
      await refresh('third', 'fourth', 5_598);
      await refresh('fourth', 'fifth', 7_397);
      expect(await refresh('fifth', 'sixth', 9_000)).toMatchObject({
        session: { expiresAtMs: 10_000, refreshedAtMs: 9_000 },
      });
      expect(await refresh('sixth', 'seventh', 10_000)).toEqual({ kind: 'refused' });
    });

    it('lets one of two that exchange the same token at once win, and the session live', async () => {
      const outcomes = await Promise.all([
        refresh('first', 'one', 2_000),
        refresh('first', 'other', 2_000, stores.other),
      ]);
      expect(outcomes.map(({ kind }) => kind)).toEqual(['refreshed', 'raced']);
      expect(await refresh('first', 'third', 2_004)).toEqual({ kind: 'raced' });
      expect(await refresh('other', 'x', 2_004)).toEqual({ kind: 'refused' });
      expect(await refresh('one', 'next', 2_004)).toMatchObject({ kind: 'refreshed' });
    });

    it('ends the session when a token is shown again later', async () => {
      await refresh('first', 'second', 2_000);
      expect(await refresh('first', 'stolen', 2_005)).toMatchObject({ kind: 'reused' });
      expect(await refresh('second', 'third', 2_006)).toEqual({ kind: 'refused' });
      expect(await stores.other.sessions.findWithUser(sampleId(7))).toBeNull();
    });

    it('refuses a token that nobody has, that has expired, or whose user is switched off', async () => {
      expect(await refresh('unknown', 'x', 2_000)).toEqual({ kind: 'refused' });
      expect(await refresh('first', 'x', 1_000 + refreshMs)).toEqual({ kind: 'refused' });
      await stores.storage.users.update(sampleId(1), { enabled: false });
      expect(await refresh('first', 'x', 2_000)).toEqual({ kind: 'refused' });
    });

    it('lists those that live, newest first, and ends them one by one, by token or all', async () => {
      for (const number of [8, 9]) {
        await stores.storage.sessions.insert(session(number), sampleDigest(`token ${number}`));
      }
      const ids = async (nowMs = 1_500) =>
        (await stores.other.sessions.listLiving(sampleId(1), nowMs)).map(({ id }) => id);
      expect(await ids()).toEqual([9, 8, 7].map(sampleId));
      expect(await ids(1_000 + refreshMs)).toEqual([]);
      expect(await stores.storage.sessions.end(sampleId(2), sampleId(8), 1_500)).toBe(false);
      const digest = sampleDigest('token 9');
      expect(await stores.storage.sessions.endByDigest(digest, 1_500)).toEqual(session(9));
      expect(await stores.storage.sessions.endByDigest(digest, 1_500)).toBeNull();
      expect(
        await stores.storage.sessions.endAll(sampleId(1), 1_500, { except: sampleId(7) }),
      ).toBe(1);
      expect(await ids()).toEqual([sampleId(7)]);
    });

    it('removes what ended or expired long ago, with its tokens, so many at once', async () => {
      await stores.storage.sessions.insert(session(8, { expiresAtMs: 50 }), sampleDigest('old'));
      await stores.storage.sessions.insert(session(9, { endedAtMs: 50 }), sampleDigest('ended'));
      expect(await stores.storage.sessions.prune(1_000, 1)).toBe(true);
      expect(await stores.storage.sessions.prune(1_000, 2)).toBe(false);
      const nothing = await stores.storage.sessions.endByDigest(sampleDigest('old'), 2_000);
      expect(nothing).toBeNull();
      expect(await stores.storage.sessions.findWithUser(sampleId(7))).not.toBeNull();
    });
  });
}
