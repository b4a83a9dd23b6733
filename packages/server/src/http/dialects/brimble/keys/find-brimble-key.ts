import type { ApiKey, Workspace } from '@sandgate/core';
import type { BrimbleServices } from '../brimble-route.ts';

/** The one Brimble key of a workspace, or null. */
export async function findBrimbleKey(
  { storage, clock }: Pick<BrimbleServices, 'storage' | 'clock'>,
  { id }: Workspace,
): Promise<ApiKey | null> {
  const keys = await storage.keys.list({ workspaceId: id });
  const nowMs = clock.nowMs();
  const isLive = ({ expiresAtMs }: ApiKey): boolean => expiresAtMs === null || expiresAtMs > nowMs;
  return keys.find((key) => key.prefix === 'bk_' && isLive(key)) ?? null;
}
