import type { ServerResponse } from 'node:http';
import { type FileEntry, SandgateError } from '@sandgate/core';
import { freeWritten } from './free-piece.ts';
import { givenFields } from './given-fields.ts';
import { StreamedBody } from './streamed-body.ts';

export const plainHeaders = {
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

/** Of the content at its time of change: nothing reads it all to tell. */
export const entityTag = ({ modifiedAtMs, sizeBytes }: FileEntry): string =>
  `"${modifiedAtMs.toString(36)}-${sizeBytes.toString(36)}"`;

/** Files of the kernel have no length, and content all the same. */
export const fileAnswer = (entry: FileEntry | null): PiecesAnswer => ({
  status: 200,
  headers: { ...plainHeaders, ...(entry?.kind === 'file' ? { ETag: entityTag(entry) } : {}) },
  lengthBytes: entry === null || entry.sizeBytes === 0 ? null : entry.sizeBytes,
});

/**
 * Answers with bytes as they are read, as fast as the client takes them. What grows meanwhile is cut to
 * the length that was announced; what falls short of it cuts the connection.
 */
export async function answerPieces(
  exchange: {
    readonly signal: AbortSignal;
    readonly outgoing: ServerResponse | undefined;
    readonly respond: (response: Response) => void;
  },
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
    freeWritten(exchange.outgoing);
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
