import {
  countDashboard,
  mostDashboardKeys,
  mostDashboardTickets,
  successRate,
} from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { nullableTime, time, toNullableTime, toTime } from '../shared-schemas.ts';
import { averageSeconds } from './average-seconds.ts';

export const dashboardStatsRoute = defineRoute({
  operationId: 'dashboardStats',
  method: 'get',
  path: '/api/v1/dashboard/stats',
  tag: 'Usage',
  summary: 'Count tickets, keys and requests',
  description: `Over everything that the key reaches. At most ${mostDashboardTickets} tickets, newest first, and ${mostDashboardKeys} active keys, oldest first.`,
  access: 'usage:read',
  workspace: 'reach',
  safe: true,
  answer: z.strictObject({
    open_tickets: z.int(),
    resolved_tickets: z.int(),
    active_api_keys: z.int(),
    total_api_calls: z.int(),
    api_usage: z.strictObject({
      success_rate: z.number().meta({ description: 'Percent, answered with a status below 400' }),
      avg_response_time: z.number().meta({ description: 'Seconds' }),
    }),
    recent_tickets: z.array(
      z.strictObject({ id: z.int(), subject: z.string(), status: z.string(), created_at: time }),
    ),
    api_keys: z.array(
      z.strictObject({
        id: z.int(),
        name: z.string(),
        is_active: z.boolean(),
        usage_count: z.int(),
        last_used: nullableTime,
      }),
    ),
  }),
  async run(_, { access, storage, clock }) {
    const counted = await countDashboard(storage, access.workspace?.id, clock.nowMs());
    const { calls } = counted;
    return {
      open_tickets: counted.openTickets,
      resolved_tickets: counted.resolvedTickets,
      active_api_keys: counted.activeKeyCount,
      total_api_calls: calls.calls,
      api_usage: { success_rate: successRate(calls), avg_response_time: averageSeconds(calls) },
      recent_tickets: counted.recentTickets.map(({ number, subject, status, createdAtMs }) => ({
        id: number,
        subject,
        status,
        created_at: toTime(createdAtMs),
      })),
      api_keys: counted.activeKeys.map((key) => ({
        id: key.number,
        name: key.name,
        is_active: true,
        usage_count: key.usageCount,
        last_used: toNullableTime(key.lastUsedAtMs),
      })),
    };
  },
});
