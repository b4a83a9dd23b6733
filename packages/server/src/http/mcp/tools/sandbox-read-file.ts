import { extname } from 'node:path';
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

export const maxReadBytes = 1_048_576;

const paramsSchema = z.strictObject({
  sandbox: requiredString,
  namespace: namespaceName,
  path: requiredString,
  offset: z.int('expected a whole number of bytes').min(0, 'must be at least 0').nullish(),
});

/** The result. `content` is absent where the file is shown as an image. */
export interface ReadFile {
  readonly path: string;
  readonly size: number;
  readonly offset: number;
  readonly truncated: boolean;
  readonly encoding?: string;
  readonly content?: string;
}

const imageTypes: ReadonlyMap<string, string> = new Map([
  ['.png', 'image/png'],
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.gif', 'image/gif'],
  ['.webp', 'image/webp'],
]);

const method: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'file:read',
  safe: true,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    requireName('Sandbox name', sandbox);
    return selectNamespace(namespace);
  },
  async run({ sandbox, path, offset }, context) {
    const workspace = requireWorkspace(context);
    const { id } = await context.sandboxes.find(workspace, sandbox);
    const files = await context.sandboxes.files(workspace, id);
    const pieces: Buffer[] = [];
    let entry: FileEntry | null = null;
    await files.read({
      path,
      offsetBytes: offset ?? 0,
      lengthBytes: maxReadBytes,
      signal: context.signal,
      onEntry: (found) => {
        entry = found;
      },
      onData: (data) => void pieces.push(data),
    });
    const data = Buffer.concat(pieces);
    const size = (entry as FileEntry | null)?.sizeBytes ?? data.byteLength;
    const truncated = (offset ?? 0) + data.byteLength < size;
    const described = { path, size, offset: offset ?? 0, truncated };
    const imageType = imageTypes.get(extname(path).toLowerCase());
    if (imageType !== undefined && !offset && !truncated && context.onResult !== undefined) {
      await context.onResult({ role: 'display', data: { [imageType]: data.toString('base64') } });
      return { sandboxId: id, result: described };
    }
    const result: ReadFile = { ...described, ...asText(data) };
    takeOutput(context.output, result.content?.length ?? 0);
    return { sandboxId: id, result };
  },
};

/** A piece may end within a character: then it is not text either. */
function asText(data: Buffer): { readonly encoding: string; readonly content: string } {
  try {
    return { encoding: 'utf-8', content: new TextDecoder('utf-8', { fatal: true }).decode(data) };
  } catch {
    return { encoding: 'base64', content: data.toString('base64') };
  }
}

export const sandboxReadFile = mcpTool(
  'sandbox_read_file',
  'Read a file of a sandbox that runs: text as it is, images as images, anything else in base64. Up to 1 MiB at a time.',
  {
    properties: {
      sandbox: sandboxProperty,
      namespace: namespaceProperty,
      path: pathProperty,
      offset: { type: 'integer', minimum: 0, description: 'Byte to begin at, of a larger file' },
    },
    required: ['sandbox', 'path'],
  },
  method,
);
