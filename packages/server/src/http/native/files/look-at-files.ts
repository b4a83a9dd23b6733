import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { fileEntry, filePath, toFileEntry } from './file-schemas.ts';
import { filesOf } from './files-of.ts';

const maxEntries = 10_000;

export const showFileRoute = defineRoute({
  operationId: 'getFileEntry',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/files/entry',
  tag: 'Files',
  summary: 'Show kind, size, permissions and time of a file or directory',
  access: 'file:read',
  workspace: 'own',
  safe: true,
  params: sandboxParams,
  query: z.strictObject({ path: filePath }),
  answer: fileEntry,
  errors: ['file_denied', 'file_not_found', 'sandbox_not_found'],
  async run({ params, query }, context) {
    const files = await filesOf(context, params.sandbox);
    return toFileEntry(await files.stat(query.path));
  },
});

export const listFilesRoute = defineRoute({
  operationId: 'listFiles',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/files/list',
  tag: 'Files',
  summary: 'List a directory, by name',
  description: `A directory of more than ${maxEntries} entries is refused: list it with a command.`,
  access: 'file:read',
  workspace: 'own',
  safe: true,
  params: sandboxParams,
  query: z.strictObject({ path: filePath }),
  answer: z.strictObject({ entries: z.array(fileEntry) }),
  errors: [
    'file_conflict',
    'file_denied',
    'file_not_found',
    'payload_too_large',
    'sandbox_not_found',
  ],
  async run({ params, query }, context) {
    const files = await filesOf(context, params.sandbox);
    return { entries: (await files.list(query.path, { maxEntries })).map(toFileEntry) };
  },
});
