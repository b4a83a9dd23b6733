import { z } from 'zod';
import { bodyPieces } from '../../body-pieces.ts';
import { givenFields } from '../../given-fields.ts';
import { defineRoute } from '../route.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { queryFlag } from '../shared-schemas.ts';
import { filePath } from './file-schemas.ts';
import { filesOf } from './files-of.ts';

export const writeFileRoute = defineRoute({
  operationId: 'writeFile',
  method: 'put',
  path: '/api/v1/sandboxes/{sandbox}/files',
  tag: 'Files',
  summary: 'Write a file',
  description:
    'The body is the content, of any length. It is written beside the file and then takes its place: a write that fails leaves what was there.',
  access: 'file:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  query: z.strictObject({
    path: filePath,
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'is no permission bits in octal, as in 0755')
      .optional(),
    parents: queryFlag.optional().meta({ description: 'Makes the directories above it' }),
  }),
  upload: 'application/octet-stream',
  answer: z.strictObject({ path: z.string(), size_bytes: z.int() }),
  errors: ['disk_full', 'file_conflict', 'file_denied', 'file_not_found', 'sandbox_not_found'],
  async run({ params, query: { path, mode, parents } }, context) {
    const files = await filesOf(context, params.sandbox);
    const sizeBytes = await files.write({
      path,
      source: bodyPieces(context.exchange),
      signal: context.exchange.signal,
      ...givenFields({
        mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
        makeParents: parents,
      }),
    });
    return { path, size_bytes: sizeBytes };
  },
});
