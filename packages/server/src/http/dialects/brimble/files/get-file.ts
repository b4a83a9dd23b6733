import { SandgateError } from '@sandgate/core';
import { freeWritten } from '../../../free-piece.ts';
import { StreamedBody } from '../../../streamed-body.ts';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from '../sandboxes/find-sandbox.ts';
import { pathOfSegments } from './file-path.ts';

/** Sends a file as it is read, of any size. */
export const getFileRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/sandboxes/{sandboxId}/files/{path...}',
  scope: 'file:read',
  // It answers before it has ended, so it is written down before it begins.
  safe: false,
  async run(_, context) {
    const path = pathOfSegments(context.rest);
    const { id } = await findSandbox(context, ['ready'], 'be read from');
    const files = await context.sandboxes.files(context.workspace, id);
    const body = new StreamedBody();
    const signal = AbortSignal.any([context.signal, body.gone]);
    let isOpen = false;
    const open = (): StreamedBody => {
      if (isOpen) return body;
      isOpen = true;
      const headers = { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' };
      freeWritten(context.outgoing);
      context.respond(new Response(body.stream, { headers }));
      return body;
    };
    try {
      await files.read({ path, signal, onData: (data) => open().write(data) });
      // An empty file has no pieces.
      open().end();
    } catch (error) {
      if (!isOpen) throw explain(error, path);
      open().fail(error);
      throw error;
    }
    return { response: null };
  },
});

function explain(error: unknown, path: string): unknown {
  if (!(error instanceof SandgateError)) return error;
  if (error.code === 'file_not_found') {
    return new SandgateError('file_not_found', `File not found: ${path}`);
  }
  if (error.code === 'file_denied') {
    return new SandgateError('file_denied', `Permission denied reading ${path}`);
  }
  return error;
}
