import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { processItem, processParams, toProcessItem } from './process-schemas.ts';

const longestSeconds = 300;

export const listProcessesRoute = defineRoute({
  operationId: 'listProcesses',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/processes',
  tag: 'Processes',
  summary: 'List background processes, oldest first',
  description: 'Those that run, and those that ended a while ago.',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  params: sandboxParams,
  answer: z.strictObject({ processes: z.array(processItem) }),
  errors: ['sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const processes = await sandboxes.listProcesses(workspace, sandbox.id);
    return { processes: processes.map(toProcessItem) };
  },
});

export const showProcessRoute = defineRoute({
  operationId: 'getProcess',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/processes/{process}',
  tag: 'Processes',
  summary: 'Show a background process',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  params: processParams,
  answer: processItem,
  errors: ['process_not_found', 'sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    return toProcessItem(await sandboxes.findProcess(workspace, sandbox.id, params.process));
  },
});

export const waitForProcessRoute = defineRoute({
  operationId: 'waitForProcess',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/processes/{process}/wait',
  tag: 'Processes',
  summary: 'Answer when a background process has ended, or when the time is over',
  access: 'sandbox:read',
  workspace: 'own',
  // It holds its place among the calls that run until it ends.
  safe: false,
  audit: null,
  params: processParams,
  body: z
    .strictObject({ timeout_seconds: z.number().min(0).max(longestSeconds).default(30) })
    .optional(),
  answer: z.strictObject({ ended: z.boolean(), process: processItem }),
  errors: ['process_not_found', 'sandbox_not_found'],
  async run({ params, body }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const process = await sandboxes.waitForProcess(workspace, sandbox.id, params.process, {
      timeoutMs: Math.ceil((body?.timeout_seconds ?? 30) * 1_000),
      signal: context.exchange.signal,
    });
    return { ended: process.endedAtMs !== null, process: toProcessItem(process) };
  },
});
