import { type ApiKey, personNumber, seesSandbox, type UsageRow } from '@sandgate/core';
import type { z } from 'zod';
import { toSeconds, toTime } from '../shared-schemas.ts';
import type { usageRow } from './usage-schemas.ts';

/** As `reader` may see it; null is an operator in development mode. */
export const toUsageRow = (row: UsageRow, reader: ApiKey | null): z.input<typeof usageRow> => ({
  id: row.id,
  endpoint: row.endpoint,
  method: row.method,
  status_code: row.status,
  response_time: toSeconds(row.durationMs),
  created_at: toTime(row.atMs),
  api_key_id: personNumber(row.keyNumber) === null ? row.keyNumber : null,
  user_id: personNumber(row.keyNumber),
  request_id: row.requestId,
  accepted: row.accepted,
  error: row.errorCode,
  sandbox_id: row.sandboxId !== null && seesSandbox(reader, row.sandboxId) ? row.sandboxId : null,
});
