import { sandboxStates } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';

const bytes = z.int().nonnegative();

export const showMetricsRoute = defineRoute({
  operationId: 'getMetrics',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/metrics',
  tag: 'Readings',
  summary: 'Show what a sandbox uses now',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  params: sandboxParams,
  answer: z.strictObject({
    state: z.enum(sandboxStates),
    running: z.boolean(),
    metrics: z
      .strictObject({
        cpu_percent: z.number().meta({ description: 'Of one CPU, since the last reading' }),
        memory_bytes: bytes,
        disk_bytes: bytes.meta({ description: 'In its writable layer' }),
        processes: bytes,
        network: z
          .strictObject({ received_bytes: bytes, sent_bytes: bytes })
          .nullable()
          .meta({ description: 'Since its start; null where it has no network' }),
      })
      .nullable()
      .meta({ description: 'null: it does not run, is paused, or does not answer in a second' }),
  }),
  errors: ['sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const [reading] = await sandboxes.read(workspace, sandbox.id);
    const { metrics = null, running = false } = reading ?? {};
    return {
      state: (reading?.sandbox ?? sandbox).state,
      running,
      metrics:
        metrics === null
          ? null
          : {
              cpu_percent: metrics.cpuPercent,
              memory_bytes: metrics.memoryBytes,
              disk_bytes: metrics.diskBytes,
              processes: metrics.processes,
              network:
                metrics.network === null || metrics.network === undefined
                  ? null
                  : {
                      received_bytes: metrics.network.receivedBytes,
                      sent_bytes: metrics.network.sentBytes,
                    },
            },
    };
  },
});
