import { randomUUID } from 'node:crypto';
import { failure, notRunning } from './exit.ts';
import { findServer } from './find-server.ts';
import { callHttp, type HttpAnswer } from './http-call.ts';
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
  const { url, key } = await findServer(terminal, 'api/v1/rpc');
  const headers = {
    'content-type': 'application/json',
    ...(key ? { authorization: `Bearer ${key}` } : {}),
  };
  return async (method, params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method, params });
    let answer: HttpAnswer;
    try {
      answer = await callHttp({ method: 'POST', url, headers, body });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') {
        throw notRunning(`No server answers at ${url.origin}. Start one with: msb server start`);
      }
      const reason = error instanceof Error ? error.message : String(error);
      throw failure(`Calling ${url.origin} failed: ${reason}`, error);
    }
    if (answer.status === 401 && !key) {
      throw failure('This server wants an API key. Set MSB_API_KEY, here or in the file .env');
    }
    return readReply(answer);
  };
}
