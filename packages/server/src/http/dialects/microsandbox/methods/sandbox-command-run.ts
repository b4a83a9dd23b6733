import { requireName, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import {
  namespaceName,
  type RpcMethod,
  requiredString,
  requireWorkspace,
  selectNamespace,
  timeoutSeconds,
} from '../rpc-method.ts';

const paramsSchema = z.strictObject({
  sandbox: requiredString,
  namespace: namespaceName,
  command: requiredString.min(1, 'must not be empty'),
  args: z.array(z.string()).nullish(),
  timeout: timeoutSeconds,
});

/** Runs a program without a shell, and answers when it has ended. */
export const sandboxCommandRun: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'sandbox:exec',
  safe: false,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    requireName('Sandbox name', sandbox);
    return selectNamespace(namespace);
  },
  async run({ sandbox, command, args, timeout }, context) {
    const output = context.newOutput();
    const workspace = requireWorkspace(context);
    const { id: sandboxId } = await context.sandboxes.find(workspace, sandbox);
    const outcome = await context.sandboxes.exec(workspace, sandbox, {
      argv: [command, ...(args ?? [])],
      signal: context.signal,
      onOutput: output.push,
      ...(timeout ? { timeoutMs: timeout * 1_000 } : {}),
    });
    switch (outcome.kind) {
      case 'exited':
        return {
          sandboxId,
          result: {
            command,
            args: args ?? [],
            exit_code: outcome.exitCode,
            success: outcome.exitCode === 0,
            output: output.finish(),
          },
        };
      case 'timed_out':
        throw new SandgateError('exec_timed_out', `Command timed out after ${timeout} seconds`, {
          data: { output: output.finish() },
        });
      case 'aborted':
      case 'sandbox_ended':
        throw new SandgateError(
          'sandbox_ended',
          `Sandbox '${sandbox}' ended while the command ran`,
          { data: { output: output.finish() } },
        );
    }
  },
};
