import type { ServerProcess } from './server-process.ts';

export interface NativeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface SentEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: ReturnType<typeof JSON.parse>;
}

/** Calls of Sandgate's own door, of every kind, over a real socket. */
export function nativeClient({ address, firstKey }: Pick<ServerProcess, 'address' | 'firstKey'>) {
  const send = async (
    method: string,
    path: string,
    options: {
      readonly json?: unknown;
      readonly body?: string | Buffer<ArrayBuffer>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Response> =>
    await fetch(`${address}/api/v1${path}`, {
      method,
      headers: {
        'x-api-key': firstKey,
        ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
      ...(options.body === undefined ? {} : { body: options.body, duplex: 'half' }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  return {
    send,
    async call(method: string, path: string, json?: unknown): Promise<NativeAnswer> {
      const response = await send(method, path, json === undefined ? {} : { json });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
      const { status, headers } = response;
      return { status, headers, text, body: isJson ? JSON.parse(text) : null };
    },
    /** Events as they come, until the answer ends or the caller stops reading. */
    async *events(
      method: string,
      path: string,
      options: Parameters<typeof send>[2] = {},
    ): AsyncGenerator<SentEvent> {
      const headers = { ...options.headers, accept: 'text/event-stream' };
      const response = await send(method, path, { ...options, headers });
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
      const decoder = new TextDecoder();
      let text = '';
      for await (const piece of response.body ?? []) {
        text += decoder.decode(piece, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const field = (name: string): string | null =>
            new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null;
          const event = field('event');
          if (event === null) continue;
          yield { event, id: field('id'), data: JSON.parse(field('data') ?? 'null') };
        }
      }
    },
  };
}

export type NativeClient = ReturnType<typeof nativeClient>;
