import { type SandboxFiles, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { brimbleMessage } from '../error-response.ts';
import { findSandbox } from '../sandboxes/find-sandbox.ts';
import { pathOfText } from './file-path.ts';
import { fileTooLarge, maxFileBytes, writeSandboxFile } from './write-file.ts';

const base64Form = /^[A-Za-z0-9+/]*={0,2}$/;
/** Paths, names of fields and what base64 adds. */
const maxBodyBytes = Math.ceil((maxFileBytes * 4) / 3) + 1_048_576;

/** Puts up to 100 files, and says of each what became of it. */
export const putFilesRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/sandboxes/{sandboxId}/files/batch',
  message: 'Files uploaded',
  scope: 'file:write',
  safe: false,
  holdsBody: true,
  maxBodyBytes,
  body: z.object({
    files: z
      .array(z.object({ path: z.string(), content_base64: z.string() }))
      .min(1)
      .max(100),
  }),
  async run({ body }, context) {
    const { id } = await findSandbox(context, ['ready'], 'take files');
    const files = await context.sandboxes.files(context.workspace, id);
    const sizes = body.files.map(({ content_base64 }) => base64Bytes(content_base64));
    if (sizes.reduce((sum, size) => sum + size, 0) > maxFileBytes) throw fileTooLarge();
    const results: FileResult[] = [];
    for (const { path, content_base64 } of body.files) {
      results.push(await putOne(files, path, content_base64, context.signal));
    }
    const uploaded = results.filter(({ success }) => success).length;
    return { data: { uploaded, failed: results.length - uploaded, results } };
  },
});

interface FileResult {
  readonly path: string;
  readonly bytes: number;
  readonly success: boolean;
  readonly error?: string;
}

async function putOne(
  files: SandboxFiles,
  path: string,
  contentBase64: string,
  signal: AbortSignal,
): Promise<FileResult> {
  try {
    const data = Buffer.from(requireBase64(contentBase64), 'base64');
    await writeSandboxFile(files, pathOfText(path), once(data), signal);
    return { path, bytes: data.byteLength, success: true };
  } catch (error) {
    // What is wrong with one file is no matter of the others; what is wrong with the sandbox is.
    if (!(error instanceof SandgateError) || !fileFailures.has(error.code)) throw error;
    return { path, bytes: 0, success: false, error: brimbleMessage(error) };
  }
}

const fileFailures: ReadonlySet<SandgateError['code']> = new Set([
  'invalid_request',
  'file_denied',
  'file_conflict',
  'file_exists',
  'disk_full',
]);

function requireBase64(text: string): string {
  if (text.length % 4 === 0 && base64Form.test(text)) return text;
  throw new SandgateError('invalid_request', 'content_base64 is not base64');
}

const base64Bytes = (text: string): number => Math.floor((text.length * 3) / 4);

async function* once(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}
