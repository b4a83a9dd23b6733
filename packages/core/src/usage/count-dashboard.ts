import type { ApiKey } from '../key/api-key.ts';
import type { Storage } from '../port/storage.ts';
import type { Ticket } from '../ticket/ticket.ts';
import type { UsageSummary } from './usage-row.ts';

export const mostDashboardTickets = 5;
export const mostDashboardKeys = 100;

export interface DashboardCounts {
  /** Open ones, and those in progress. */
  readonly openTickets: number;
  readonly resolvedTickets: number;
  /** Newest first. */
  readonly recentTickets: readonly Ticket[];
  readonly activeKeyCount: number;
  /** Oldest first. */
  readonly activeKeys: readonly ApiKey[];
  /** Over everything ever recorded. */
  readonly calls: UsageSummary;
}

/** The numbers of one workspace at a glance, or of all of them. */
export async function countDashboard(
  { tickets, usage, keys }: Pick<Storage, 'tickets' | 'usage' | 'keys'>,
  workspaceId: string | undefined,
  nowMs: number,
): Promise<DashboardCounts> {
  const counted = await tickets.countByStatus(workspaceId);
  const within = workspaceId === undefined ? {} : { workspaceId };
  const active = await keys.page(
    { ...within, state: 'active', nowMs },
    { limit: mostDashboardKeys },
  );
  return {
    openTickets: counted.open + counted.in_progress,
    resolvedTickets: counted.resolved,
    recentTickets: await tickets.recent(workspaceId, mostDashboardTickets),
    activeKeyCount: active.total,
    activeKeys: active.keys,
    calls: await usage.total(workspaceId),
  };
}
