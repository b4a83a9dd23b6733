import { bodyPieces } from '../../../body-pieces.ts';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from '../sandboxes/find-sandbox.ts';
import { pathOfSegments } from './file-path.ts';
import { fileTooLarge, maxFileBytes, writeSandboxFile } from './write-file.ts';

export const putFileRoute = defineBrimbleRoute({
  method: 'PUT',
  path: '/sandboxes/{sandboxId}/files/{path...}',
  status: 204,
  scope: 'file:write',
  safe: false,
  onceOnly: true,
  async run(_, context) {
    const path = pathOfSegments(context.rest);
    const stated = Number(context.request.headers.get('content-length') ?? 0);
    if (stated > maxFileBytes) throw fileTooLarge();
    const { id } = await findSandbox(context, ['ready'], 'take files');
    const files = await context.sandboxes.files(context.workspace, id);
    await writeSandboxFile(files, path, bounded(bodyPieces(context)), context.signal);
    return {};
  },
});

/** A body without a stated length is counted as it comes. @throws SandgateError `payload_too_large` */
async function* bounded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > maxFileBytes) throw fileTooLarge();
    yield piece;
  }
}
