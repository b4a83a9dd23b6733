import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { SandgateError } from '@sandgate/core';
import { z } from 'zod';
import type { ServerRecord } from './server-record.ts';
import type { ServerStatus } from './server-status.ts';

/** A sandbox as the operator names it. */
export interface SandboxReference {
  readonly namespace: string;
  readonly name: string;
}

/** What the operator's own commands can ask of a running server. */
export interface ControlHandlers {
  /** Which process this is, and where it listens. Answered without the store. */
  record(): ServerRecord;
  status(): Promise<ServerStatus>;
  resetServerKey(): Promise<{ readonly revokedKeys: number }>;
  /** Ends a sandbox for ever, with its files. @throws SandgateError when there is none */
  removeSandbox(reference: SandboxReference): Promise<void>;
  /** Begins the shutdown; called after the answer has left. */
  stop(): void;
}

/** unix(7): `sun_path` has 108 bytes, and the last one is zero. Longer paths would be cut silently. */
const maxPathBytes = 107;

/** @throws SandgateError `config_invalid` when the path is too long for a socket. */
export function controlSocketPath(home: string): string {
  const path = join(home, 'server.sock');
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new SandgateError(
      'config_invalid',
      `The state directory ${home} has a path that is too long: its control socket has ` +
        `${Buffer.byteLength(path)} bytes, and a socket's path at most ${maxPathBytes}. ` +
        'Choose a shorter one with --path or SANDGATE_HOME.',
    );
  }
  return path;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function answerFailure(response: ServerResponse, error: unknown): void {
  const known = error instanceof SandgateError;
  answer(response, 500, {
    code: known ? error.code : 'internal',
    message: known ? error.message : 'The server failed. Its log says why.',
  });
}

const sandboxReference = z.strictObject({ namespace: z.string(), name: z.string() });
const maxBodyBytes = 4_096;

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new SandgateError('payload_too_large', 'That is too long.');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

async function handle(
  handlers: ControlHandlers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /record':
      return answer(response, 200, handlers.record());
    case 'GET /status':
      return answer(response, 200, await handlers.status());
    case 'POST /reset-key':
      return answer(response, 200, await handlers.resetServerKey());
    case 'POST /remove-sandbox':
      await handlers.removeSandbox(sandboxReference.parse(await readJson(request)));
      return answer(response, 200, {});
    case 'POST /stop':
      response.once('close', () => handlers.stop());
      return answer(response, 202, {});
    default:
      return answer(response, 404, { code: 'not_found', message: 'There is no such command.' });
  }
}

/** Listens in place of a leftover. */
async function listen(server: Server, path: string): Promise<void> {
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o600);
}

export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Opens `server.sock` in the home, which only its owner can enter: whoever can connect may ask
 * anything. The caller holds the home (`claimHome`), so that a socket found there is a leftover.
 *
 * @throws SandgateError `config_invalid` when the path is too long.
 */
export async function openControlSocket(
  home: string,
  handlers: ControlHandlers,
): Promise<ControlSocket> {
  const path = controlSocketPath(home);
  const server = createServer((request, response) => {
    handle(handlers, request, response).catch((error: unknown) => answerFailure(response, error));
  });
  await listen(server, path);
  return {
    close: () =>
      new Promise((resolve) => {
        // Node removes the socket's file.
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
