import type { FileEntry } from '@sandgate/core';
import { z } from 'zod';
import { answerPieces, entityTag, fileAnswer, plainHeaders } from '../../answer-file.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { byteRange } from './byte-range.ts';
import { filePath } from './file-schemas.ts';
import { filesOf } from './files-of.ts';

export const readFileRoute = defineRoute({
  operationId: 'readFile',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/files',
  tag: 'Files',
  summary: 'Read a file',
  description:
    'A Range header of one part is answered with that part; with If-Range, only while the file is what it was by its ETag.',
  access: 'file:read',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  query: z.strictObject({ path: filePath }),
  answer: z.null(),
  media: ['application/octet-stream'],
  otherStatuses: { 206: 'The part that Range asks for', 416: 'The file has no such part' },
  errors: ['file_conflict', 'file_denied', 'file_not_found', 'sandbox_not_found'],
  async run({ params, query: { path } }, context) {
    const files = await filesOf(context, params.sandbox);
    const range = await wantedRange(context, () => files.stat(path));
    if (range.kind === 'whole') {
      return await answerPieces(
        context.exchange,
        (request) => files.read({ path, ...request }),
        fileAnswer,
      );
    }
    const { sizeBytes } = range.entry;
    if (range.kind === 'unsatisfiable') {
      return new Response(null, {
        status: 416,
        headers: { ...plainHeaders, 'Content-Range': `bytes */${sizeBytes}` },
      });
    }
    const { fromByte, endByte } = range;
    const lengthBytes = endByte - fromByte + 1;
    const headers = {
      ...plainHeaders,
      ETag: entityTag(range.entry),
      'Content-Range': `bytes ${fromByte}-${endByte}/${sizeBytes}`,
    };
    return await answerPieces(
      context.exchange,
      (request) => files.read({ path, offsetBytes: fromByte, lengthBytes, ...request }),
      () => ({ status: 206, lengthBytes, headers }),
    );
  },
});

/** What a request asks for, of the file as it is now. */
async function wantedRange(
  { exchange }: Pick<AuthorisedContext, 'exchange'>,
  stat: () => Promise<FileEntry>,
) {
  const { headers } = exchange.request;
  const header = headers.get('range');
  if (header === null) return { kind: 'whole' } as const;
  const entry = await stat();
  // What a link points to has another size than the link.
  if (entry.kind !== 'file') return { kind: 'whole' } as const;
  const condition = headers.get('if-range');
  if (condition !== null && condition !== entityTag(entry)) return { kind: 'whole' } as const;
  return { ...byteRange(header, entry.sizeBytes), entry };
}
