import { personNumber, type UsageRow } from '@sandgate/core';
import type { z } from 'zod';
import { toSeconds, toTime } from '../shared-schemas.ts';
import type { usageRow } from './usage-schemas.ts';

export const toUsageRow = (row: UsageRow): z.input<typeof usageRow> => ({
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
  sandbox_id: row.sandboxId,
});
