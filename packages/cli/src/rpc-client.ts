import { randomUUID } from 'node:crypto';
import { callServer, unanswered } from './call-server.ts';
import { failure } from './exit.ts';
import { findServer } from './find-server.ts';
import { type HttpAnswer, textOf } from './http-call.ts';
import type { Terminal } from './terminal.ts';

export interface OutputLine {
  readonly stream: string;
  readonly text: string;
}

export type RpcReply =
  | { readonly ok: true; readonly result: unknown }
  /** `data` may hold what was written before the failure. */
  | { readonly ok: false; readonly message: string; readonly data: unknown };

export type RpcClient = (method: string, params: object) => Promise<RpcReply>;

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;

/** The lines of a `result.output` or `error.data.output`; anything else is left out. */
export function outputLines(value: unknown): readonly OutputLine[] {
  const output = property(value, 'output');
  if (!Array.isArray(output)) return [];
  return output.map((line: unknown) => ({
    stream: String(property(line, 'stream')),
    text: String(property(line, 'text')),
  }));
}

export { property };

/** Either `{error: {message}}` of JSON-RPC or `{error: "…"}` of the door itself. */
function readReply({ status, text }: HttpAnswer): RpcReply {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const error = property(body, 'error');
  if (error !== undefined) {
    const message = typeof error === 'string' ? error : String(property(error, 'message'));
    return { ok: false, message, data: property(error, 'data') };
  }
  const result = property(body, 'result');
  if (status === 200 && result !== undefined) return { ok: true, result };
  throw failure(`The server answered with HTTP status ${status} and no JSON-RPC result.`);
}

/** Calls the microsandbox door of the server that the environment or `.env` names. */
export async function connectRpc(terminal: Terminal): Promise<RpcClient> {
  const door = await findServer(terminal, 'api/v1/rpc');
  return async (method, params) => {
    const response = await callServer(door, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method, params }),
    });
    const text = await textOf(response).catch((error: unknown) => {
      throw unanswered(door.url, error);
    });
    return readReply({ status: response.statusCode ?? 0, text });
  };
}
