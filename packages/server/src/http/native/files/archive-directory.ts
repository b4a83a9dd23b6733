import { z } from 'zod';
import { answerPieces } from '../../answer-file.ts';
import { bodyPieces } from '../../body-pieces.ts';
import { defineRoute } from '../route.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { filePath } from './file-schemas.ts';
import { filesOf } from './files-of.ts';

const mediaType = 'application/x-tar';

export const packDirectoryRoute = defineRoute({
  operationId: 'packDirectory',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/files/archive',
  tag: 'Files',
  summary: 'Read a directory as a tar archive',
  description: 'Uncompressed, with names relative to it, and sent as it is made.',
  access: 'file:read',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  query: z.strictObject({ path: filePath }),
  answer: z.null(),
  media: [mediaType],
  errors: ['file_conflict', 'file_denied', 'file_not_found', 'sandbox_not_found'],
  async run({ params, query: { path } }, context) {
    const files = await filesOf(context, params.sandbox);
    return await answerPieces(
      context.exchange,
      ({ signal, onData }) => files.pack({ path, signal, onData }),
      () => ({ status: 200, lengthBytes: null, headers }),
    );
  },
});

const headers = {
  'Content-Type': mediaType,
  'Content-Disposition': 'attachment',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
};

export const unpackDirectoryRoute = defineRoute({
  operationId: 'unpackDirectory',
  method: 'put',
  path: '/api/v1/sandboxes/{sandbox}/files/archive',
  tag: 'Files',
  summary: 'Unpack a tar archive into a directory',
  description:
    'The body is the archive, uncompressed and of any length. The directory is made when it is not there; what is in it stays, unless the archive has it too. An archive that ends early leaves nothing.',
  access: 'file:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  query: z.strictObject({ path: filePath }),
  upload: mediaType,
  answer: z.null(),
  status: 204,
  errors: ['disk_full', 'file_conflict', 'file_denied', 'file_not_found', 'sandbox_not_found'],
  async run({ params, query: { path } }, context) {
    const files = await filesOf(context, params.sandbox);
    await files.unpack({
      path,
      source: bodyPieces(context.exchange),
      signal: context.exchange.signal,
    });
    return null;
  },
});
