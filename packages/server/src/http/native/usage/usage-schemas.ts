import { z } from 'zod';
import { time } from '../shared-schemas.ts';

export const usageRow = z
  .strictObject({
    id: z.int(),
    endpoint: z.string().meta({ description: 'A template, never the path itself' }),
    method: z.string(),
    status_code: z
      .int()
      .meta({ description: '0 while it is carried out, and for one that a crash cut off' }),
    response_time: z.number().meta({ description: 'Seconds' }),
    created_at: time,
    api_key_id: z.int().nullable(),
    request_id: z.string(),
    accepted: z.boolean().meta({ description: 'Counted against the limits of the key' }),
    error: z.string().nullable(),
    sandbox_id: z.string().nullable(),
    user_id: z.int().nullable().meta({ description: 'Who called with an access token' }),
  })
  .meta({ id: 'UsageRow' });
