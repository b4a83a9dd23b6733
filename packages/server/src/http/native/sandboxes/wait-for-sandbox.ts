import { sandboxStates } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxOf } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import { sandboxItem, sandboxParams } from './sandbox-schemas.ts';

const longestSeconds = 300;

export const waitForSandboxRoute = defineRoute({
  operationId: 'waitForSandbox',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/wait',
  tag: 'Sandboxes',
  summary: 'Answer when a sandbox is in a state, or when the time is over',
  description:
    'A sandbox that has failed or is destroyed ends the waiting too: nothing else comes of it by itself. By its id, a destroyed one is found.',
  access: 'sandbox:read',
  workspace: 'own',
  // It holds its place among the calls that run until it ends.
  safe: false,
  audit: null,
  params: sandboxParams,
  body: z
    .strictObject({
      states: z.array(z.enum(sandboxStates)).min(1).max(sandboxStates.length).default(['ready']),
      timeout_seconds: z.number().min(0).max(longestSeconds).default(30),
    })
    .optional(),
  answer: z.strictObject({
    reached: z.boolean().meta({ description: 'It is in one of the states' }),
    sandbox: sandboxItem,
  }),
  errors: ['sandbox_not_found'],
  async run({ params, body }, context) {
    const { states = ['ready'], timeout_seconds: seconds = 30 } = body ?? {};
    const found = await sandboxOf(context, params.sandbox, { includeDestroyed: true });
    const sandbox = await found.sandboxes.wait(found.workspace, found.sandbox.id, {
      states: [...states, 'failed'],
      timeoutMs: Math.ceil(seconds * 1_000),
      signal: context.exchange.signal,
    });
    return { reached: states.includes(sandbox.state), sandbox: toSandboxItem(sandbox) };
  },
});
