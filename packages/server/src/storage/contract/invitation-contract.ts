import type { Invitation } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import {
  sampleDigest,
  sampleId,
  samplePerson,
  sampleWorkspace,
  storePerson,
} from './sample-records.ts';

export function describeInvitations(stores: StoresUnderTest): void {
  describe('invitations', () => {
    const invitation = (number: number, changes: Partial<Invitation> = {}): Invitation => ({
      id: sampleId(number),
      workspaceId: sampleId(1),
      email: `person${number}@example.com`,
      role: 'member',
      invitedBy: sampleId(1),
      createdAtMs: 1_000,
      expiresAtMs: 2_000,
      ...changes,
    });
    const invite = (made: Invitation, label = `token ${made.id}`) =>
      stores.storage.invitations.insert(made, sampleDigest(label));
    const memberOf = (number: number) =>
      ({
        workspaceId: sampleId(1),
        userId: sampleId(number),
        role: 'member',
        createdAtMs: 5,
      }) as const;

    beforeEach(async () => {
      await storePerson(stores.storage, 1);
    });

    it('are found by their digest and listed until they expire', async () => {
      await invite(invitation(8), 'a token');
      const { invitations } = stores.other;
      expect(await invitations.findByDigest(sampleDigest('a token'), 1_999)).toEqual(invitation(8));
      expect(await invitations.findByDigest(sampleDigest('a token'), 2_000)).toBeNull();
      expect(await invitations.findByDigest(sampleDigest('another'), 1_000)).toBeNull();
      expect(await invitations.list(sampleId(1), 1_999)).toEqual([invitation(8)]);
      expect(await invitations.list(sampleId(1), 2_000)).toEqual([]);
    });

    it('leave one for each address: the newest', async () => {
      await invite(invitation(8), 'first');
      await invite({ ...invitation(9), email: invitation(8).email, role: 'admin' }, 'second');
      expect(await stores.other.invitations.findByDigest(sampleDigest('first'), 1_000)).toBeNull();
      expect(await stores.other.invitations.list(sampleId(1), 1_000)).toMatchObject([
        { id: sampleId(9), role: 'admin' },
      ]);
    });

    it('are withdrawn by their own workspace alone', async () => {
      await invite(invitation(8));
      expect(await stores.storage.invitations.remove(sampleId(2), sampleId(8))).toBe(false);
      expect(await stores.storage.invitations.remove(sampleId(1), sampleId(8))).toBe(true);
      expect(await stores.storage.invitations.remove(sampleId(1), sampleId(8))).toBe(false);
    });

    it('make a member once, also of two who use them at once', async () => {
      await storePerson(stores.storage, 2);
      await storePerson(stores.storage, 3);
      await invite(invitation(8));
      const outcomes = await Promise.allSettled([
        stores.storage.invitations.accept(sampleId(8), memberOf(2)),
        stores.other.invitations.accept(sampleId(8), memberOf(3)),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(await stores.other.members.find(sampleId(2), sampleId(1))).toMatchObject({
        role: 'member',
      });
    });

    it('make an account with its home and its place, or nothing at all', async () => {
      await invite(invitation(8));
      const { invitations } = stores.storage;
      const twin = samplePerson(8, { email: 'person1@example.com' });
      await expect(
        invitations.acceptAsNew(sampleId(8), twin, sampleWorkspace(8), memberOf(8)),
      ).rejects.toMatchObject({ code: 'user_exists' });
      const made = await invitations.acceptAsNew(
        sampleId(8),
        samplePerson(8, { emailVerified: false }),
        sampleWorkspace(8),
        memberOf(8),
      );
      expect(made).toMatchObject({ homeWorkspaceId: sampleId(8), emailVerified: false });
      const slugs = (await stores.other.members.listOfUser(made.id)).map(
        ({ workspace, role }) => `${workspace.slug} ${role}`,
      );
      expect(slugs).toEqual(['workspace-1 member', 'workspace-8 owner']);
    });

    it('go with their workspace', async () => {
      await stores.storage.workspaces.insert(sampleWorkspace(5), sampleId(1));
      await invite(invitation(8, { workspaceId: sampleId(5) }), 'a token');
      await stores.storage.workspaces.close(sampleId(5), 1_500);
      expect(
        await stores.other.invitations.findByDigest(sampleDigest('a token'), 1_000),
      ).toBeNull();
      await expect(invite(invitation(9, { workspaceId: sampleId(5) }))).rejects.toMatchObject({
        code: 'workspace_not_found',
      });
    });
  });
}
