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

    it('are ended with what else was set up, where the operator says whose an address is', async () => {
      for (const number of [1, 2]) {
        await storeKey(stores.storage, number, `key ${number}`, { ownerId: sampleId(number) });
        await link(number, `of before ${number}`);
      }
      const prove = (number: number) =>
        stores.storage.identities.prove(sampleId(number), { passwordHash: 'given', atMs: 5_000 });
      expect([await prove(1), await prove(2), await prove(2)]).toEqual([false, true, false]);
      const { users, keys, identities } = stores.other;
      expect((await users.findById(sampleId(1)))?.passwordHash).not.toBe('given');
      expect(await users.findById(sampleId(2))).toMatchObject({
        passwordHash: 'given',
        emailVerified: true,
      });
      expect(await identities.find('google', 'of before 1')).not.toBeNull();
      expect(await identities.find('google', 'of before 2')).toBeNull();
      expect(await keys.findByDigest(sampleDigest('key 1'))).not.toBeNull();
      expect(await keys.findByDigest(sampleDigest('key 2'))).toBeNull();
    });

    it('that prove an address end every way back in of who had the account before', async () => {
      const { members, invitations } = stores.storage;
      const home = sampleId(2);
      await link(2, 'of before');
      const helper = { userId: sampleId(1), role: 'admin', createdAtMs: 1 } as const;
      await members.insert({ ...helper, workspaceId: home });
      const ofHelper = { ownerId: sampleId(1), workspaceId: home };
      await storeKey(stores.storage, 7, 'key of the helper', ofHelper);
      const invitation = {
        ...{ id: sampleId(8), workspaceId: home, email: 'a@example.com', role: 'admin' as const },
        ...{ invitedBy: null, createdAtMs: 1, expiresAtMs: 9_000 },
      };
      await invitations.insert(invitation, sampleDigest('invitation'));
      await link(2, 'of the owner', true);
      const { identities, keys } = stores.other;
      expect(await identities.find('google', 'of before')).toBeNull();
      expect(await identities.find('google', 'of the owner')).toMatchObject({ number: 2 });
      expect(await stores.other.members.find(sampleId(1), home)).toBeNull();
      expect(await stores.other.members.find(sampleId(2), home)).toMatchObject({ role: 'owner' });
      expect(await keys.findByDigest(sampleDigest('key of the helper'))).toBeNull();
      expect(await stores.other.invitations.list(home, 2)).toEqual([]);
      expect(await stores.other.members.find(sampleId(1), sampleId(1))).not.toBeNull();
    });
  });
}
