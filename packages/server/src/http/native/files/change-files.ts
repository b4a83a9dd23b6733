import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { defineRoute } from '../route.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { queryFlag } from '../shared-schemas.ts';
import { fileEntry, filePath, toFileEntry } from './file-schemas.ts';
import { filesOf } from './files-of.ts';

export const makeDirectoryRoute = defineRoute({
  operationId: 'makeDirectory',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/files/directories',
  tag: 'Files',
  summary: 'Make a directory',
  access: 'file:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  body: z.strictObject({
    path: filePath,
    parents: z
      .boolean()
      .default(false)
      .meta({ description: 'Also those above it, and one that is there is no error' }),
  }),
  answer: fileEntry,
  errors: ['file_denied', 'file_exists', 'file_not_found', 'sandbox_not_found'],
  async run({ params, body: { path, parents } }, context) {
    const files = await filesOf(context, params.sandbox);
    await files.makeDirectory(path, { parents });
    return toFileEntry(await files.stat(path));
  },
});

export const moveFileRoute = defineRoute({
  operationId: 'moveFile',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/files/move',
  tag: 'Files',
  summary: 'Move or rename a file or directory',
  access: 'file:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  body: z.strictObject({ from: filePath, to: filePath }),
  answer: fileEntry,
  errors: ['file_conflict', 'file_denied', 'file_not_found', 'sandbox_not_found'],
  async run({ params, body: { from, to } }, context) {
    const files = await filesOf(context, params.sandbox);
    await files.move(from, to);
    return toFileEntry(await files.stat(to));
  },
});

export const removeFileRoute = defineRoute({
  operationId: 'removeFile',
  method: 'delete',
  path: '/api/v1/sandboxes/{sandbox}/files',
  tag: 'Files',
  summary: 'Remove a file, or a directory with everything in it',
  access: 'file:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  query: z.strictObject({ path: filePath, recursive: queryFlag.optional() }),
  answer: z.null(),
  status: 204,
  errors: ['file_conflict', 'file_denied', 'file_not_found', 'sandbox_not_found'],
  async run({ params, query: { path, recursive } }, context) {
    const files = await filesOf(context, params.sandbox);
    await files.remove(path, givenFields({ recursive }));
    return new Response(null, { status: 204, headers: { 'Cache-Control': 'no-store' } });
  },
});
