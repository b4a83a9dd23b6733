import type { AuditFilter, AuditPage } from '../port/audit-store.ts';
import type { Storage } from '../port/storage.ts';
import type { Workspace } from '../workspace/workspace.ts';

const maxPage = 1_000;

/**
 * Newest first; `limit` 1 to 1000, 50 by default. A workspace sees its own entries; null, for an
 * operator, sees all.
 */
export async function listAudit(
  { storage }: { readonly storage: Pick<Storage, 'audit'> },
  workspace: Pick<Workspace, 'id'> | null,
  input: Omit<AuditFilter, 'workspaceId'> & {
    readonly limit?: number | undefined;
    readonly beforeSequence?: number | undefined;
  } = {},
): Promise<AuditPage> {
  const { limit = 50, beforeSequence, ...filter } = input;
  return await storage.audit.list(
    { ...filter, workspaceId: workspace?.id },
    { limit: Math.max(1, Math.min(maxPage, limit)), beforeSequence },
  );
}
