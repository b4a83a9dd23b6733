import {
  type Clock,
  type Counters,
  countDashboard,
  type DashboardCounts,
  findKey,
  type Grantor,
  limitAccounts,
  listAncestors,
  narrowLineage,
  type Storage,
  sumUsage,
  type UsageBucket,
  type UsageFilter,
  type UsageRow,
  type UsageSummary,
  type WindowState,
} from '@sandgate/core';
import { type ApiKeyView, keyView } from './key-view.ts';
import { createNamespaces, nameIn, workspaceOf } from './namespaces.ts';

const rowsAtOnce = 1_000;

/** `namespace` is a slug, and `key` a number or id. */
export interface UsageQuery extends Omit<UsageFilter, 'workspaceId' | 'keyNumber'> {
  readonly namespace?: string;
  readonly key?: string;
}

export interface UsageRowView extends Omit<UsageRow, 'workspaceId'> {
  /** Null: the call was about all, or was refused before its namespace was known. */
  readonly namespace: string | null;
}

export interface Statistics extends Omit<DashboardCounts, 'activeKeys'> {
  /** The first hundred, oldest first. */
  readonly activeKeys: readonly ApiKeyView[];
}

/** How one key was used. */
export interface KeyStatistics {
  readonly key: ApiKeyView;
  /** Of the stretch of time that was asked for, with the sums of each endpoint. */
  readonly total: UsageSummary;
  readonly endpoints: readonly Omit<UsageBucket, 'startMs'>[];
  /** How its limits stand now, with those of its ancestors. Empty for a key without limits. */
  readonly limits: readonly WindowState[];
}

export interface UsageAdministration {
  /** Newest first, in pages that are read as they are taken. `limit`: null for all. */
  listUsage(query: UsageQuery, limit: number | null): AsyncIterable<readonly UsageRowView[]>;
  /** By endpoint and hour or day, oldest first. */
  summarizeUsage(
    query: Pick<UsageQuery, 'namespace' | 'key' | 'fromMs' | 'toMs'>,
    by: 'hour' | 'day',
  ): Promise<readonly UsageBucket[]>;
  /**
   * Of one namespace, or all of them.
   * @throws SandgateError `workspace_not_found`
   */
  statistics(namespace?: string): Promise<Statistics>;
  /** @throws SandgateError `key_not_found` */
  keyStatistics(
    reference: string,
    times: { readonly fromMs: number; readonly toMs: number },
  ): Promise<KeyStatistics>;
}

export interface UsageAdministrationDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  /** Of this process: it reads the calls of a running server in the store. */
  readonly counters: Pick<Counters, 'look'>;
  readonly loadLimits: () => Promise<Grantor['limitsOf']>;
}

export function createUsageAdministration(
  dependencies: UsageAdministrationDependencies,
): UsageAdministration {
  const { storage, clock, counters, loadLimits } = dependencies;
  const namespaces = createNamespaces(storage);
  return {
    async *listUsage({ namespace, key, ...filter }, limit) {
      const names = await namespaces.slugs();
      const within = { ...filter, ...(await namespaces.reach({ namespace, key })) };
      let left = limit ?? Number.POSITIVE_INFINITY;
      let before: number | null = null;
      while (left > 0) {
        const { rows, nextBeforeId } = await storage.usage.list(within, {
          limit: Math.min(left, rowsAtOnce),
          ...(before === null ? {} : { beforeId: before }),
        });
        yield rows.map(({ workspaceId: id, ...row }) => ({ ...row, namespace: nameIn(names, id) }));
        if (nextBeforeId === null) return;
        before = nextBeforeId;
        left -= rows.length;
      }
    },
    async summarizeUsage({ namespace, key, ...times }, by) {
      return await storage.usage.summarize(
        { ...times, ...(await namespaces.reach({ namespace, key })) },
        by,
      );
    },
    async statistics(namespace) {
      const workspaceId = namespace === undefined ? undefined : await namespaces.idOf(namespace);
      const counts = await countDashboard(storage, workspaceId, clock.nowMs());
      const names = await namespaces.slugs();
      const activeKeys = counts.activeKeys.map((key) => keyView(key, names, clock.nowMs()));
      return { ...counts, activeKeys };
    },
    async keyStatistics(reference, times) {
      const key = await findKey(dependencies, reference);
      const buckets = await storage.usage.summarize({ ...times, keyNumber: key.number }, 'day');
      const limitsOf = await loadLimits();
      const workspace = await workspaceOf(storage, key);
      const lineage = narrowLineage([key, ...(await listAncestors(dependencies, key))]);
      const accounts = limitAccounts(lineage, (each) => limitsOf(each, workspace));
      return {
        key: keyView(key, await namespaces.slugs(), clock.nowMs()),
        ...sumUsage(buckets),
        limits: accounts.length === 0 ? [] : await counters.look(accounts, clock.nowMs()),
      };
    },
  };
}
