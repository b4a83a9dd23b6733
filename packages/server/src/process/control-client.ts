import { request } from 'node:http';
import { type ErrorCode, errorCodes, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { controlSocketPath, type SandboxReference } from './control-socket.ts';
import { type ServerRecord, serverRecord } from './server-record.ts';
import { type ServerStatus, serverStatus } from './server-status.ts';
import { hasCode } from './write-file-atomically.ts';

const timeoutMs = 10_000;
/** A sandbox that starts or stops at this moment is let to its end first. */
const removalTimeoutMs = 600_000;
const maxAnswerBytes = 1_048_576;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Command {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

function send(socketPath: string, command: Command): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, body } = command;
    const call = request({ socketPath, method, path, timeout: command.timeoutMs ?? timeoutMs });
    call.once('timeout', () => call.destroy(new Error('The server does not answer.')));
    call.once('error', reject);
    call.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.once('error', reject);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) response.destroy(new Error('The answer is too long.'));
        else chunks.push(chunk);
      });
      response.once('end', () => {
        try {
          const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          resolve({ status: response.statusCode ?? 0, body });
        } catch (error) {
          reject(error);
        }
      });
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const failure = z.object({ code: z.enum(errorCodes), message: z.string() });

function toError(body: unknown): SandgateError {
  const parsed = failure.safeParse(body);
  const code: ErrorCode = parsed.success ? parsed.data.code : 'internal';
  return new SandgateError(code, parsed.success ? parsed.data.message : 'The server failed.');
}

/** Null: no server listens there. */
async function ask(
  home: string,
  method: string,
  path: string,
  options: Pick<Command, 'body' | 'timeoutMs'> = {},
): Promise<unknown> {
  let reply: Answer;
  try {
    reply = await send(controlSocketPath(home), { method, path, ...options });
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ECONNREFUSED')) return null;
    throw new SandgateError(
      'internal',
      `The server on ${home} does not answer its control socket. Its log says why: msb server log`,
      { detail: String(error), cause: error },
    );
  }
  if (reply.status >= 400) throw toError(reply.body);
  return reply.body;
}

const resetResult = z.object({ revokedKeys: z.int().nonnegative() });

/**
 * The operator's side of a server's control socket. Every call answers null when no server listens.
 * @throws SandgateError what the server refused, or `internal` when it does not answer.
 */
export const controlClient = {
  async record(home: string): Promise<ServerRecord | null> {
    const body = await ask(home, 'GET', '/record');
    return body === null ? null : serverRecord.parse(body);
  },

  async status(home: string): Promise<ServerStatus | null> {
    const body = await ask(home, 'GET', '/status');
    return body === null ? null : serverStatus.parse(body);
  },

  /** Makes a new server key. Every API key of the old one is dead when this resolves. */
  async resetServerKey(home: string): Promise<{ readonly revokedKeys: number } | null> {
    const body = await ask(home, 'POST', '/reset-key');
    return body === null ? null : resetResult.parse(body);
  },

  /** The sandbox is gone for ever when this resolves, with its files. */
  async removeSandbox(home: string, reference: SandboxReference): Promise<true | null> {
    const options = { body: reference, timeoutMs: removalTimeoutMs };
    return (await ask(home, 'POST', '/remove-sandbox', options)) === null ? null : true;
  },

  /** Begins the shutdown; the process ends later. */
  async stop(home: string): Promise<true | null> {
    return (await ask(home, 'POST', '/stop')) === null ? null : true;
  },
};
