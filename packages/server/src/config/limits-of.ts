import {
  type ApiKey,
  mergeLimits,
  noLimits,
  type RequestLimits,
  standardLimits,
  type Workspace,
} from '@sandgate/core';
import type { ServerConfig } from './server-config.ts';

/** A key's own limits, else its workspace's plan's. Keys of the operator have none unless given. */
export function limitsOf(
  config: Pick<ServerConfig, 'plans'>,
  key: ApiKey,
  workspace: Workspace | null,
): RequestLimits {
  if (key.workspaceId === null) return mergeLimits(noLimits, key.limits);
  const plan = config.plans[workspace?.plan ?? 'standard'];
  return mergeLimits(plan?.requests ?? standardLimits, key.limits);
}
