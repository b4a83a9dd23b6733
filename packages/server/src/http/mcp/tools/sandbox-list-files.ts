import { type FileEntry, requireName } from '@sandgate/core';
import { z } from 'zod';
import {
  namespaceName,
  type RpcMethod,
  requiredString,
  requireWorkspace,
  selectNamespace,
} from '../../dialects/microsandbox/rpc-method.ts';
import { mcpTool } from '../mcp-tool.ts';
import { takeOutput } from '../take-output.ts';
import { namespaceProperty, pathProperty, sandboxProperty } from '../tool-input.ts';

const maxEntries = 1_000;

const paramsSchema = z.strictObject({
  sandbox: requiredString,
  namespace: namespaceName,
  path: requiredString,
});

/** The result. */
export interface ListedFiles {
  readonly path: string;
  readonly entries: readonly {
    readonly path: string;
    readonly kind: FileEntry['kind'];
    readonly size: number;
    readonly modified_at: string;
    readonly link_target?: string;
  }[];
}

const method: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'file:read',
  safe: true,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    requireName('Sandbox name', sandbox);
    return selectNamespace(namespace);
  },
  async run({ sandbox, path }, context) {
    const workspace = requireWorkspace(context);
    const { id } = await context.sandboxes.find(workspace, sandbox);
    const files = await context.sandboxes.files(workspace, id);
    const entries = await files.list(path, { maxEntries });
    const result: ListedFiles = {
      path,
      entries: entries.map((entry) => ({
        path: entry.path,
        kind: entry.kind,
        size: entry.sizeBytes,
        modified_at: new Date(entry.modifiedAtMs).toISOString(),
        ...(entry.linkTarget === null ? {} : { link_target: entry.linkTarget }),
      })),
    };
    takeOutput(context.output, JSON.stringify(result).length);
    return { sandboxId: id, result };
  },
};

export const sandboxListFiles = mcpTool(
  'sandbox_list_files',
  `List what is in a directory of a sandbox that runs, up to ${maxEntries} entries.`,
  {
    properties: { sandbox: sandboxProperty, namespace: namespaceProperty, path: pathProperty },
    required: ['sandbox', 'path'],
  },
  method,
);
