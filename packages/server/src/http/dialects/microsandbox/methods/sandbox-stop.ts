import { requireName } from '@sandgate/core';
import { z } from 'zod';
import {
  namespaceName,
  type RpcMethod,
  requiredString,
  requireWorkspace,
  selectNamespace,
} from '../rpc-method.ts';

const paramsSchema = z.strictObject({ sandbox: requiredString, namespace: namespaceName });

export const sandboxStop: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'sandbox:write',
  safe: false,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    requireName('Sandbox name', sandbox);
    return selectNamespace(namespace);
  },
  async run({ sandbox }, context) {
    const { id } = await context.sandboxes.stop(requireWorkspace(context), sandbox);
    return { sandboxId: id, result: `Sandbox ${sandbox} stopped successfully` };
  },
};
