import {
  type AuditEntry,
  type AuditFilter,
  type AuditHead,
  type AuditVerification,
  findUser,
  type ServerKey,
  type Storage,
  verifyAudit,
} from '@sandgate/core';
import { createNamespaces, nameIn } from './namespaces.ts';

export interface AuditQuery extends Omit<AuditFilter, 'workspaceId' | 'keyNumber' | 'userNumber'> {
  readonly namespace?: string;
  readonly key?: string;
  /** E-mail address, number or id. */
  readonly user?: string;
}

export interface AuditEntryView extends Omit<AuditEntry, 'workspaceId' | 'previousHash'> {
  readonly namespace: string | null;
}

export interface AuditAdministration {
  /** The newest `limit` entries, newest first. */
  listAudit(query: AuditQuery, limit: number): Promise<readonly AuditEntryView[]>;
  /** `anchor`: the head that an earlier verification gave, kept elsewhere. */
  verifyAudit(anchor?: AuditHead): Promise<AuditVerification>;
}

export function createAuditAdministration({
  storage,
  loadServerKey,
}: {
  readonly storage: Storage;
  readonly loadServerKey: () => Promise<ServerKey>;
}): AuditAdministration {
  const namespaces = createNamespaces(storage);
  return {
    async listAudit({ namespace, key, user, ...filter }, limit) {
      const names = await namespaces.slugs();
      const reach = await namespaces.reach({ namespace, key });
      const by =
        user === undefined ? {} : { userNumber: (await findUser({ storage }, user)).number };
      const { entries } = await storage.audit.list({ ...filter, ...reach, ...by }, { limit });
      return entries.map(({ workspaceId: id, previousHash: _, ...entry }) => ({
        ...entry,
        namespace: nameIn(names, id),
      }));
    },
    verifyAudit: async (anchor) =>
      await verifyAudit(storage.audit, {
        serverKey: await loadServerKey(),
        ...(anchor === undefined ? {} : { anchor }),
      }),
  };
}
