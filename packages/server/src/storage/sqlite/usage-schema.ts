import type { Generated } from 'kysely';

/** Tables of usage. `docs/storage-schema.md` tells what each column means. */
export interface UsageSchema {
  readonly usage_routes: UsageRouteTable;
  readonly usage_workspaces: UsageWorkspaceTable;
  readonly usage_rows: UsageRowTable;
  readonly usage_key_hours: UsageKeyHourTable;
  readonly usage_hours: UsageHourTable;
  readonly usage_days: UsageDayTable;
  readonly usage_blocks: UsageBlockTable;
  readonly usage_progress: UsageProgressTable;
}

interface UsageRouteTable {
  number: number;
  method: string;
  endpoint: string;
}

interface UsageWorkspaceTable {
  number: number;
  workspace_id: string;
}

interface UsageRowTable {
  id: number;
  key_number: number;
  workspace_number: number;
  route_number: number;
  request_id: string;
  status: number;
  /** 0 or 1. */
  accepted: number;
  error_code: string | null;
  duration_us: number;
  at_ms: number;
  sandbox_id: string | null;
  /** 0, or 1 when the index by key holds it. */
  indexed: Generated<number>;
}

interface UsageSums {
  calls: number;
  successes: number;
  duration_us: number;
}

interface UsageKeyHourTable extends UsageSums {
  key_number: number;
  start_hour: number;
  route_number: number;
  workspace_number: number;
}

interface UsageHourTable extends UsageSums {
  workspace_number: number;
  start_hour: number;
  route_number: number;
}

interface UsageDayTable extends UsageSums {
  workspace_number: number;
  start_day: number;
  route_number: number;
}

interface UsageBlockTable {
  number: number;
  min_at_ms: number;
  max_at_ms: number;
}

interface UsageProgressTable {
  single: number;
  rolled_up_to: number;
  rolling_to: Generated<number>;
  rolling_key: Generated<number>;
  rolling_id: Generated<number>;
}
