import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import {
  sampleDigest,
  sampleId,
  samplePerson,
  sampleWorkspace,
  storeKey,
} from './sample-records.ts';

export function describeIdentities(stores: StoresUnderTest): void {
  describe('identities', () => {
    const link = (number: number, subject: string, provesEmail = false) =>
      stores.storage.identities.link(
        { provider: 'google', subject, userId: sampleId(number), createdAtMs: 5_000 },
        { provesEmail },
      );

    beforeEach(async () => {
      await stores.storage.serverKeys.replace('server key', 1);
      for (const number of [1, 2]) {
        const person = samplePerson(number, { emailVerified: number === 1 });
        await stores.storage.users.insert(person, sampleWorkspace(number));
      }
    });

    it('lead to their user, each at its own provider', async () => {
      await link(1, 'a');
      await link(1, 'a');
      const { identities } = stores.other;
      expect(await identities.find('google', 'a')).toMatchObject({ number: 1 });
      expect(await identities.find('google', 'b')).toBeNull();
      expect(await identities.find('github', 'a')).toBeNull();
    });

    it('are never taken from one user by another', async () => {
      await link(1, 'a');
      await expect(link(2, 'a')).rejects.toMatchObject({ code: 'sign_in_failed' });
      expect(await stores.other.identities.find('google', 'a')).toMatchObject({ number: 1 });
    });

    it('that prove an address end what was set up before, where it was not proven yet', async () => {
      for (const number of [1, 2]) {
        const session = {
          id: sampleId(number),
          userId: sampleId(number),
          createdAtMs: 1,
          refreshedAtMs: 1,
          expiresAtMs: 9_000,
          endsAtMs: 9_000,
          address: '',
          agent: '',
          endedAtMs: null,
        };
        await stores.storage.sessions.insert(session, sampleDigest(`session ${number}`));
        await storeKey(stores.storage, number, `key ${number}`, { ownerId: sampleId(number) });
        await link(number, `subject ${number}`, true);
      }
      const { users, sessions, keys } = stores.other;
      expect(await users.findById(sampleId(1))).toMatchObject({ passwordHash: expect.any(String) });
      expect(await sessions.findWithUser(sampleId(1))).not.toBeNull();
      expect(await keys.findByDigest(sampleDigest('key 1'))).not.toBeNull();
      const proven = { passwordHash: null, emailVerified: true };
      expect(await users.findById(sampleId(2))).toMatchObject(proven);
      expect(await sessions.findWithUser(sampleId(2))).toBeNull();
      expect(await keys.findByDigest(sampleDigest('key 2'))).toBeNull();
    });
  });
}
