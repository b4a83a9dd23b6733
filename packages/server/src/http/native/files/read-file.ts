import { type FileEntry, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { StreamedBody } from '../../streamed-body.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { byteRange } from './byte-range.ts';
import { filePath } from './file-schemas.ts';

export const readFileRoute = defineRoute({
  operationId: 'readFile',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/files',
  tag: 'Files',
  summary: 'Read a file',
  description: 'A Range header of one part is answered with that part.',
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
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const files = await sandboxes.files(workspace, sandbox.id);
    const header = context.exchange.request.headers.get('range');
    if (header === null) {
      return await answerPieces(context, (request) => files.read({ path, ...request }), fileAnswer);
    }
    const { sizeBytes } = await files.stat(path);
    const range = byteRange(header, sizeBytes);
    if (range.kind === 'whole') {
      return await answerPieces(context, (request) => files.read({ path, ...request }), fileAnswer);
    }
    if (range.kind === 'unsatisfiable') {
      return new Response(null, {
        status: 416,
        headers: { ...plainHeaders, 'Content-Range': `bytes */${sizeBytes}` },
      });
    }
    const { fromByte, endByte } = range;
    const lengthBytes = endByte - fromByte + 1;
    return await answerPieces(
      context,
      (request) => files.read({ path, offsetBytes: fromByte, lengthBytes, ...request }),
      () => ({
        status: 206,
        lengthBytes,
        headers: { ...plainHeaders, 'Content-Range': `bytes ${fromByte}-${endByte}/${sizeBytes}` },
      }),
    );
  },
});

const plainHeaders = {
  'Content-Type': 'application/octet-stream',
  'Content-Disposition': 'attachment',
  'X-Content-Type-Options': 'nosniff',
  'Accept-Ranges': 'bytes',
  'Cache-Control': 'no-store',
};

interface PiecesAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: it is not known before the end. */
  readonly lengthBytes: number | null;
}

/** Files of the kernel have no length, and content all the same. */
const fileAnswer = (entry: FileEntry | null): PiecesAnswer => ({
  status: 200,
  headers: plainHeaders,
  lengthBytes: entry === null || entry.sizeBytes === 0 ? null : entry.sizeBytes,
});

/**
 * Answers with bytes as they are read, as fast as the client takes them. What grows meanwhile is cut to
 * the length that was announced; what falls short of it cuts the connection.
 */
async function answerPieces(
  { exchange }: Pick<AuthorisedContext, 'exchange'>,
  read: (request: {
    readonly signal: AbortSignal;
    readonly onEntry: (entry: FileEntry) => void;
    readonly onData: (data: Buffer) => Promise<void>;
  }) => Promise<void>,
  answer: (entry: FileEntry | null) => PiecesAnswer,
): Promise<null> {
  const body = new StreamedBody();
  let leftBytes: number | null = null;
  let begun = false;
  const begin = (entry: FileEntry | null): void => {
    if (begun) return;
    begun = true;
    const { status, headers, lengthBytes } = answer(entry);
    leftBytes = lengthBytes;
    const length = givenFields({
      'Content-Length': lengthBytes === null ? undefined : String(lengthBytes),
    });
    exchange.respond(new Response(body.stream, { status, headers: { ...headers, ...length } }));
  };
  try {
    await read({
      signal: AbortSignal.any([exchange.signal, body.gone]),
      onEntry: begin,
      async onData(data) {
        begin(null);
        const piece = leftBytes === null ? data : data.subarray(0, leftBytes);
        if (leftBytes !== null) leftBytes -= piece.byteLength;
        await body.write(piece);
      },
    });
    begin(null);
    if (leftBytes !== null && leftBytes > 0) throw shortened();
    body.end();
  } catch (error) {
    if (!begun) throw error;
    body.fail(error);
    // The client sees a cut connection; a file that changed meanwhile is no defect of the server.
    if (!(error instanceof SandgateError)) throw error;
  }
  return null;
}

const shortened = (): SandgateError =>
  new SandgateError('file_conflict', 'The file became shorter while it was read');
