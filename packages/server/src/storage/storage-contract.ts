import type { Storage } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeAlerts } from './contract/alert-contract.ts';
import { describeAudit } from './contract/audit-contract.ts';
import { describeIdempotency } from './contract/idempotency-contract.ts';
import { describeIdentities } from './contract/identity-contract.ts';
import { describeImages } from './contract/image-contract.ts';
import { describeInvitations } from './contract/invitation-contract.ts';
import { describeKeys } from './contract/key-contract.ts';
import { describeKeyQueries } from './contract/key-query-contract.ts';
import { describeMcpServers } from './contract/mcp-server-contract.ts';
import { describeMembers } from './contract/member-contract.ts';
import { describeOauth } from './contract/oauth-contract.ts';
import { describeRegistries } from './contract/registry-contract.ts';
import { describeRotation } from './contract/rotation-contract.ts';
import { describeSandboxes } from './contract/sandbox-contract.ts';
import { describeServerKeys } from './contract/server-key-contract.ts';
import { describeSessions } from './contract/session-contract.ts';
import { describeSigningKeys } from './contract/signing-key-contract.ts';
import { describeSnapshots } from './contract/snapshot-contract.ts';
import { describeTickets } from './contract/ticket-contract.ts';
import { describeUsage } from './contract/usage-contract.ts';
import { describeUsers } from './contract/user-contract.ts';
import { describeVolumes } from './contract/volume-contract.ts';
import { describeWebhooks } from './contract/webhook-contract.ts';
import { describeWorkspaces } from './contract/workspace-contract.ts';

/** An empty store of a test's own. */
export interface EmptyStore {
  /** A new connection to it, each time. */
  open(): Promise<Storage>;
  /** Removes it, after every connection was closed. */
  remove(): Promise<void>;
}

/** Two connections to one store, as a server and a command beside it have. */
export interface StoresUnderTest {
  readonly storage: Storage;
  readonly other: Storage;
}

/** What every adapter of the `Storage` port promises, whatever it is made of. */
export function describeStorage(name: string, createStore: () => Promise<EmptyStore>): void {
  describe(`${name} as a Storage`, () => {
    let store: EmptyStore;
    const stores = {} as { -readonly [Key in keyof StoresUnderTest]: StoresUnderTest[Key] };

    beforeEach(async () => {
      store = await createStore();
      stores.storage = await store.open();
      stores.other = await store.open();
    });
    afterEach(async () => {
      await stores.storage.close();
      await stores.other.close();
      await store.remove();
    });

    describeServerKeys(stores);
    describeWorkspaces(stores);
    describeKeys(stores);
    describeKeyQueries(stores);
    describeRotation(stores);
    describeSandboxes(stores);
    describeSnapshots(stores);
    describeVolumes(stores);
    describeIdempotency(stores);
    describeAlerts(stores);
    describeAudit(stores);
    describeWebhooks(stores);
    describeTickets(stores);
    describeUsage(stores);
    describeUsers(stores);
    describeImages(stores);
    describeRegistries(stores);
    describeMcpServers(stores);
    describeMembers(stores);
    describeIdentities(stores);
    describeInvitations(stores);
    describeSessions(stores);
    describeSigningKeys(stores);
    describeOauth(stores);

    describe('close', () => {
      it('may be called twice, and leaves nothing that answers', async () => {
        const { storage } = stores;
        await storage.close();
        await storage.close();
        const unavailable = { code: 'storage_unavailable' };
        await expect(storage.keys.countLive()).rejects.toMatchObject(unavailable);
        // This may refuse at once.
        await expect(
          (async () => await storage.keys.findByDigest(new Uint8Array(32)))(),
        ).rejects.toMatchObject(unavailable);
        await expect(storage.usage.write({ begun: [], ended: [] })).rejects.toMatchObject(
          unavailable,
        );
        await expect(storage.serverKeys.current()).rejects.toMatchObject(unavailable);
        await expect(storage.workspaces.list()).rejects.toMatchObject(unavailable);
        await expect(storage.sandboxes.list()).rejects.toMatchObject(unavailable);
      });

      it('keeps everything for the next connection', async () => {
        await stores.storage.serverKeys.replace('first', 1);
        await stores.storage.close();
        await stores.other.close();
        const reopened = await store.open();
        expect(await reopened.serverKeys.current()).toMatchObject({ fingerprint: 'first' });
        await reopened.close();
      });
    });
  });
}
