import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { SandgateError } from '@sandgate/core';
import type { SandboxAction } from './sandbox-action.ts';
import { filePathOf, requireFileName } from './uploaded-files.ts';

const maxFileBytes = 50 * 1024 * 1024;
/** What stands around the file in its form. */
const maxFormBytes = maxFileBytes + 64 * 1024;

/** Takes the field `file` of a form, as it arrives. */
export const uploadFileAction: SandboxAction = {
  method: 'POST',
  path: '/modbox/api/files/upload',
  scope: 'file:write',
  async run({ request, client, sandbox, workspace, sandboxes, signal }) {
    const type = request.headers.get('content-type') ?? '';
    if (!/^multipart\/form-data\s*;.*boundary=/i.test(type)) {
      throw new SandgateError(
        'unsupported_media_type',
        'Send the file as the field "file" of a form, with Content-Type: multipart/form-data',
      );
    }
    if (Number(request.headers.get('content-length') ?? 0) > maxFormBytes) throw tooLarge();
    const files = await sandboxes.files(workspace, sandbox.id);
    return await takeFile(type, client().body, async (name, source) => {
      const path = filePathOf(requireFileName(name));
      const size = await files.write({ path, source, makeParents: true, signal });
      return { success: true, filename: name, path, size };
    });
  },
};

/** @throws SandgateError `invalid_request`, `payload_too_large`, and what `write` throws */
async function takeFile<Result>(
  type: string,
  body: Readable | null,
  write: (name: string, source: AsyncIterable<Uint8Array>) => Promise<Result>,
): Promise<Result> {
  if (body === null) throw noFile();
  const form = formOf(type);
  let written: Promise<Result> | null = null;
  const gone = new AbortController();
  form.on('file', (field, stream, name) => {
    if (field !== 'file' || written !== null) {
      stream.resume();
      return;
    }
    written = write(name ?? '', piecesOf(stream));
    // Nobody reads the rest; the reason is told below.
    written.catch((error: unknown) => gone.abort(error));
  });
  try {
    await pipeline(body, form, { signal: gone.signal });
  } catch {
    // A source that fails ends the write, which says why; before it, the form is to blame.
    if (written !== null) await written;
    throw new SandgateError('invalid_request', 'The body is no complete multipart form');
  }
  if (written === null) throw noFile();
  return await written;
}

/** @throws SandgateError `invalid_request` for a type without a boundary */
function formOf(type: string) {
  try {
    return new Busboy({
      headers: { 'content-type': type },
      limits: { files: 1, fileSize: maxFileBytes, fields: 16, fieldSize: 4_096, parts: 17 },
    });
  } catch (cause) {
    throw new SandgateError('invalid_request', 'The Content-Type of the form has no boundary', {
      cause,
    });
  }
}

async function* piecesOf(stream: BusboyFileStream): AsyncIterable<Uint8Array> {
  for await (const piece of stream) yield piece as Uint8Array;
  if (stream.truncated) throw tooLarge();
}

const tooLarge = (): SandgateError =>
  new SandgateError('payload_too_large', 'A file may have up to 50 MB');

const noFile = (): SandgateError =>
  new SandgateError('invalid_request', 'file: Field required', {
    data: { issues: [{ loc: ['body', 'file'], msg: 'Field required', type: 'missing' }] },
  });
