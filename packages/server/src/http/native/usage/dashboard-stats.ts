import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { nullableTime, time, toNullableTime, toSeconds, toTime } from '../shared-schemas.ts';

const mostTickets = 5;
const mostKeys = 100;

export const dashboardStatsRoute = defineRoute({
  operationId: 'dashboardStats',
  method: 'get',
  path: '/api/v1/dashboard/stats',
  tag: 'Usage',
  summary: 'Count tickets, keys and requests',
  description: `Over everything that the key reaches. At most ${mostTickets} tickets, newest first, and ${mostKeys} active keys, oldest first.`,
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
    const workspaceId = access.workspace?.id;
    const within = workspaceId === undefined ? {} : { workspaceId };
    const tickets = await storage.tickets.countByStatus(workspaceId);
    const recent = await storage.tickets.recent(workspaceId, mostTickets);
    const { calls, successes, durationMs } = await storage.usage.total(workspaceId);
    const { keys, total } = await storage.keys.page(
      { ...within, state: 'active', nowMs: clock.nowMs() },
      { limit: mostKeys },
    );
    return {
      open_tickets: tickets.open + tickets.in_progress,
      resolved_tickets: tickets.resolved,
      active_api_keys: total,
      total_api_calls: calls,
      api_usage: {
        success_rate: calls === 0 ? 0 : Math.round((successes / calls) * 1_000) / 10,
        avg_response_time: calls === 0 ? 0 : Math.round(toSeconds(durationMs / calls) * 1e6) / 1e6,
      },
      recent_tickets: recent.map(({ number, subject, status, createdAtMs }) => ({
        id: number,
        subject,
        status,
        created_at: toTime(createdAtMs),
      })),
      api_keys: keys.map((key) => ({
        id: key.number,
        name: key.name,
        is_active: true,
        usage_count: key.usageCount,
        last_used: toNullableTime(key.lastUsedAtMs),
      })),
    };
  },
});
