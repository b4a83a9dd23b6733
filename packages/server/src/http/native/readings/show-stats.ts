import { maxStatsPoints } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { duration, time, toTime } from '../shared-schemas.ts';

const bytes = z.int().nonnegative();

const sample = z.strictObject({
  at: time.meta({ description: 'End of the stretch that it stands for' }),
  cpu_percent: z.number().meta({ description: 'Of one CPU, on average over the stretch' }),
  memory_bytes: bytes,
  disk_bytes: bytes,
  processes: bytes,
  network_bytes_per_second: z.number().nullable().meta({ description: 'null: it has no network' }),
});

export const showStatsRoute = defineRoute({
  operationId: 'getStats',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/stats',
  tag: 'Readings',
  summary: 'Show how what a sandbox uses went over time',
  description: `Up to ${maxStatsPoints} samples, oldest first, of this run; the last one is of now.`,
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  params: sandboxParams,
  query: z.strictObject({ last: duration.default(3_600_000) }),
  answer: z.strictObject({
    samples: z.array(sample),
    network_bytes: bytes.nullable().meta({ description: 'Received and sent since its start' }),
  }),
  errors: ['sandbox_not_found'],
  async run({ params, query }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const sinceMs = context.clock.nowMs() - query.last;
    const { samples, networkBytes } = await sandboxes.stats(workspace, sandbox.id, { sinceMs });
    return {
      samples: samples.map((each) => ({
        at: toTime(each.atMs),
        cpu_percent: each.cpuPercent,
        memory_bytes: each.memoryBytes,
        disk_bytes: each.diskBytes,
        processes: each.processes,
        network_bytes_per_second: each.networkBytesPerSecond,
      })),
      network_bytes: networkBytes,
    };
  },
});
