import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { commandFields, maxCodeBytes } from '../commands/command-schemas.ts';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { processItem, toProcessItem } from './process-schemas.ts';

export const startProcessRoute = defineRoute({
  operationId: 'startProcess',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/processes',
  tag: 'Processes',
  summary: 'Start a program that runs without anybody waiting for it',
  description:
    'It is answered when it has started, and runs until it ends or the sandbox stops. The newest of its output is kept.',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  maxBodyBytes: maxCodeBytes,
  body: z.strictObject({
    ...commandFields,
    stdin: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether it gets a standard input that can be written to' }),
  }),
  answer: processItem,
  errors: [
    'command_not_found',
    'quota_exceeded',
    'sandbox_ended',
    'sandbox_not_found',
    'sandbox_not_running',
    'sandbox_paused',
    'workdir_missing',
  ],
  async run({ params, body: { command, cwd, env, stdin } }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const process = await sandboxes.startProcess(workspace, sandbox.id, {
      command: typeof command === 'string' ? { line: command } : { argv: command },
      stdin,
      ...givenFields({ cwd, environment: env }),
    });
    return toProcessItem(process);
  },
});
