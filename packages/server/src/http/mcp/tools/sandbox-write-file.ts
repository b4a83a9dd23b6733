import { requireName, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import {
  namespaceName,
  type RpcMethod,
  requiredString,
  requireWorkspace,
  selectNamespace,
} from '../../dialects/microsandbox/rpc-method.ts';
import { mcpTool } from '../mcp-tool.ts';
import { namespaceProperty, pathProperty, sandboxProperty } from '../tool-input.ts';

const paramsSchema = z.strictObject({
  sandbox: requiredString,
  namespace: namespaceName,
  path: requiredString,
  content: requiredString,
  encoding: z.enum(['utf-8', 'base64'], { error: 'must be utf-8 or base64' }).nullish(),
});

const method: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'file:write',
  safe: false,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    requireName('Sandbox name', sandbox);
    return selectNamespace(namespace);
  },
  async run({ sandbox, path, content, encoding }, context) {
    const data = encoding === 'base64' ? readBase64(content) : Buffer.from(content);
    const workspace = requireWorkspace(context);
    const { id } = await context.sandboxes.find(workspace, sandbox);
    const files = await context.sandboxes.files(workspace, id);
    const size = await files.write({
      path,
      source: oneByOne(data),
      makeParents: true,
      signal: context.signal,
    });
    return { sandboxId: id, result: { path, size } };
  },
};

async function* oneByOne(data: Buffer): AsyncIterable<Uint8Array> {
  yield data;
}

function readBase64(text: string): Buffer {
  const data = Buffer.from(text, 'base64');
  if (data.toString('base64') === text) return data;
  throw new SandgateError('invalid_request', 'content: is not base64');
}

export const sandboxWriteFile = mcpTool(
  'sandbox_write_file',
  'Write a file of a sandbox that runs, with the directories above it. What was there is replaced.',
  {
    properties: {
      sandbox: sandboxProperty,
      namespace: namespaceProperty,
      path: pathProperty,
      content: { type: 'string' },
      encoding: {
        type: 'string',
        enum: ['utf-8', 'base64'],
        description: 'Of the content; utf-8 when it is left out',
      },
    },
    required: ['sandbox', 'path', 'content'],
  },
  method,
);
