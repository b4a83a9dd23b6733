import { z } from 'zod';
import {
  namespaceName,
  type RpcMethod,
  requireWorkspace,
  selectNamespace,
} from '../../dialects/microsandbox/rpc-method.ts';
import { mcpTool } from '../mcp-tool.ts';
import { namespaceProperty } from '../tool-input.ts';

const maxListed = 100;

const paramsSchema = z.strictObject({ namespace: namespaceName, after: z.string().nullish() });

const method: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'sandbox:read',
  safe: true,
  params: paramsSchema,
  workspace: ({ namespace }) => selectNamespace(namespace),
  async run({ after }, context) {
    const workspace = requireWorkspace(context);
    const page = { limit: maxListed, ...(after ? { afterId: after } : {}) };
    const { items, total, nextAfterId } = await context.sandboxes.list(workspace, {}, page);
    const sandboxes = items.map(({ name, state, template, createdAtMs }) => ({
      name,
      state,
      image: template,
      created_at: new Date(createdAtMs).toISOString(),
    }));
    return { result: { namespace: workspace.slug, total, sandboxes, next_after: nextAfterId } };
  },
};

export const sandboxList = mcpTool(
  'sandbox_list',
  `List the sandboxes of a namespace with their states, newest first, up to ${maxListed} at a time.`,
  {
    properties: {
      namespace: namespaceProperty,
      after: { type: 'string', description: 'next_after of the list before, for what follows it' },
    },
  },
  method,
);
