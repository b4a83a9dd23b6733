import { requireName, type SandboxReading } from '@sandgate/core';
import { z } from 'zod';
import { namespaceName, type RpcMethod, selectNamespace } from '../rpc-method.ts';

const paramsSchema = z.strictObject({ sandbox: z.string().nullish(), namespace: namespaceName });

const bytesPerMib = 1_048_576;

export const sandboxMetricsGet: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'sandbox:read',
  safe: true,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    if (typeof sandbox === 'string') requireName('Sandbox name', sandbox);
    return namespace === '*' ? { kind: 'all' } : selectNamespace(namespace);
  },
  async run({ sandbox }, { workspace, sandboxes }) {
    const readings = await sandboxes.read(workspace, sandbox ?? undefined);
    return { result: { sandboxes: readings.map(describe) } };
  },
};

/** `cpu_usage` in percent of one CPU, `memory_usage` in MiB, `disk_usage` in bytes. */
function describe({ sandbox, workspace, running, metrics }: SandboxReading) {
  return {
    namespace: workspace.slug,
    name: sandbox.name,
    running,
    cpu_usage: metrics?.cpuPercent ?? null,
    memory_usage: metrics === null ? null : Math.round(metrics.memoryBytes / bytesPerMib),
    disk_usage: metrics?.diskBytes ?? null,
  };
}
