import { SdkHttpError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { ServerDoor } from './find-server.ts';
import { property } from './rpc-client.ts';

type Id = string | number;

/** What a client on this machine is told when its message got no answer. */
const unanswered = -32_000;

/**
 * Carries messages between a client of MCP that talks to `local` and the MCP door of a server, one
 * HTTP request for each of the client's. Resolves when the client is gone; what still runs for it is
 * then ended, by its connections being closed.
 */
export async function bridgeMcp(local: Transport, { url, key }: ServerDoor): Promise<void> {
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  const remote = new StreamableHTTPClientTransport(url, {
    requestInit: { headers, redirect: 'error' },
    // The server keeps no streams to come back to.
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 0,
      maxReconnectionDelay: 0,
      reconnectionDelayGrowFactor: 1,
    },
  });
  const running = new Map<Id, AbortController>();
  let initialization: Id | null = null;

  const refuse = async (id: Id, error: { code: number; message: string }): Promise<void> => {
    if (running.delete(id)) await local.send({ jsonrpc: '2.0', id, error });
  };

  const forward = async (message: JSONRPCMessage): Promise<void> => {
    // What the client answers to a request of the server's.
    if (!('method' in message)) return await remote.send(message).catch(() => undefined);
    if (message.method === 'notifications/cancelled') {
      // The server knows a call that is not wanted any more by its connection.
      const id = property(message.params, 'requestId') as Id;
      running.get(id)?.abort();
      running.delete(id);
      return;
    }
    if (!('id' in message)) return await remote.send(message).catch(() => undefined);
    const { id, method } = message;
    const leaving = new AbortController();
    running.set(id, leaving);
    if (method === 'initialize') initialization = id;
    const onRequestStreamEnd = (): void => {
      const error = { code: unanswered, message: `The connection to ${url.origin} ended` };
      void refuse(id, error);
    };
    try {
      await remote.send(message, { requestSignal: leaving.signal, onRequestStreamEnd });
    } catch (error) {
      await refuse(id, explain(error, url, key));
    }
  };

  remote.onmessage = (message) => {
    if ('id' in message && message.id !== undefined && !('method' in message)) {
      running.delete(message.id);
      if (message.id === initialization && 'result' in message) {
        remote.setProtocolVersion?.(String(property(message.result, 'protocolVersion')));
      }
    }
    void local.send(message);
  };
  const gone = new Promise<void>((resolve) => {
    local.onclose = resolve;
  });
  local.onmessage = (message) => void forward(message);
  await remote.start();
  await local.start();
  await gone;
  await remote.close();
}

/** The server's own words where it gave any. */
function explain(
  error: unknown,
  url: URL,
  key: string | undefined,
): { readonly code: number; readonly message: string } {
  if (error instanceof SdkHttpError) {
    if (error.status === 401 && !key) {
      return { code: unanswered, message: 'This server wants an API key. Set MSB_API_KEY' };
    }
    const told = property(parsed(String(error.data.text ?? '')), 'error');
    const [code, message] = [property(told, 'code'), property(told, 'message')];
    if (typeof code === 'number' && typeof message === 'string') return { code, message };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { code: unanswered, message: `Calling ${url.origin} failed: ${reason}` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
