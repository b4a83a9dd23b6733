import { SandgateError, type UpstreamAnswer } from '@sandgate/core';
import { StreamedBody } from '../../streamed-body.ts';
import { parseExactly } from './exact-json.ts';
import { type EventRelay, relayEvents } from './relay-events.ts';

/** Up to here an answer is read whole, and is known to be JSON before the client gets any of it. */
const wholeBytes = 262_144;
/** Of an answer that has to be read to take out what its reader may not see. */
const filteredBytes = 8 * 1024 * 1024;
const longestBytes = 256 * 1024 * 1024;
const errorBytes = 65_536;

export interface RelayOptions extends EventRelay {
  /** For the client, beside what the body is. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hands a response over whose body is still coming. */
  readonly respond: (response: Response) => void;
  /** Ends the call: nobody reads its answer any more. */
  readonly leave: () => void;
  /** Whether an upstream that asks for a credential asks the client, and not Sandgate. */
  readonly passesCredentials: boolean;
}

const garbage = (what: string): SandgateError =>
  new SandgateError('upstream_failed', `The MCP server cannot be used: its answer ${what}`);

/** Statuses of the protocol. Any other failure is the upstream's own. */
const passedStatuses = new Set([400, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429]);

/**
 * Gives an upstream's answer to the client: whole when it is short, else as it comes.
 * @returns null when it was handed over by `respond`
 * @throws SandgateError `upstream_failed`, `upstream_timed_out`
 */
export async function relayAnswer(
  answer: UpstreamAnswer,
  options: RelayOptions,
): Promise<{ readonly status: number; readonly response: Response | null }> {
  const { status } = answer;
  if (status < 200 || status > 299) return await relayRefusal(answer, options);
  const encoding = answer.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    await answer.body.cancel();
    throw garbage('is compressed, although that was not asked for');
  }
  switch (mediaType(answer)) {
    case 'text/event-stream':
      return await streamed(answer, options, 'text/event-stream', (body) =>
        relayEvents(answer, body, options),
      );
    case 'application/json':
      return await relayJson(answer, options);
    default:
      return await relayNothing(answer, options);
  }
}

const mediaType = (answer: UpstreamAnswer): string =>
  answer.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';

/** For what was sent and needs no answer. */
async function relayNothing(answer: UpstreamAnswer, { headers, awaited }: RelayOptions) {
  const { status } = answer;
  const bytes = await readUpTo(answer, awaited === null ? errorBytes : 0);
  if (awaited !== null) throw garbage('is neither JSON nor an event stream');
  if (bytes.byteLength > 0 && mediaType(answer) !== 'text/plain') {
    throw garbage('is neither JSON nor an event stream');
  }
  const empty = status === 202 || status === 204 || status === 200 ? status : 202;
  return { status: empty, response: new Response(null, { status: empty, headers }) };
}

async function relayJson(answer: UpstreamAnswer, options: RelayOptions) {
  const { filter, headers } = options;
  const reader = answer.body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const most = filter === null ? wholeBytes : filteredBytes;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    length += read.value.byteLength;
    if (length <= most) continue;
    if (filter === null) return await passOn(answer, reader, pieces, options);
    await reader.cancel();
    throw garbage(`has more than ${filteredBytes} bytes`);
  }
  const { status } = answer;
  if (length === 0 && options.awaited === null) {
    return { status, response: new Response(null, { status, headers }) };
  }
  const text = requireJson(Buffer.concat(pieces, length));
  const body = filter === null ? text : filter(text);
  return { status, response: jsonResponse(body, status, headers) };
}

async function passOn(
  answer: UpstreamAnswer,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  pieces: readonly Uint8Array[],
  options: RelayOptions,
) {
  return await streamed(answer, options, 'application/json', async (body) => {
    try {
      let length = 0;
      for (const piece of pieces) await body.write(piece);
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        length += read.value.byteLength;
        if (length > longestBytes) throw garbage(`has more than ${longestBytes} bytes`);
        await body.write(read.value);
        if (body.gone.aborted) break;
      }
      body.end();
    } catch (error) {
      body.fail(error);
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  });
}

async function streamed(
  { status }: UpstreamAnswer,
  { headers, respond, leave }: RelayOptions,
  type: string,
  pump: (body: StreamedBody) => Promise<void>,
) {
  const body = new StreamedBody();
  body.gone.addEventListener('abort', leave, { once: true });
  const own = { 'Content-Type': type, 'Cache-Control': 'no-store, no-transform' };
  respond(
    new Response(body.stream, {
      status,
      headers: { ...headers, ...own, ...protection, 'X-Accel-Buffering': 'no' },
    }),
  );
  await pump(body);
  return { status, response: null };
}

/** An answer of somebody else's comes from Sandgate's own origin: a browser must not take it for a page. */
const protection = { 'X-Content-Type-Options': 'nosniff' };

const jsonResponse = (
  text: string,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response =>
  new Response(text, {
    status,
    headers: {
      ...headers,
      ...protection,
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
    },
  });

function requireJson(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const value = parseExactly(text);
    if (typeof value === 'object' && value !== null) return text;
  } catch {
    // Said below.
  }
  throw garbage('is not JSON');
}

/** A refusal in the protocol's own form is passed on; in any other, its status alone. */
async function relayRefusal(answer: UpstreamAnswer, options: RelayOptions) {
  const { status } = answer;
  const bytes = await readUpTo(answer, errorBytes);
  const asksForCredential = status === 401 && options.passesCredentials;
  if (!passedStatuses.has(status) && !asksForCredential) {
    const hint = status === 401 ? '. Set the headers that it wants' : '';
    throw garbage(`has the status ${status}${hint}`);
  }
  const headers: Record<string, string> = { ...options.headers };
  for (const name of asksForCredential
    ? ['www-authenticate', 'retry-after']
    : ['retry-after', 'allow']) {
    const value = answer.header(name);
    if (value !== null) headers[name] = value;
  }
  const text = rpcError(answer, bytes) ?? plainRefusal(status, options);
  return { status, response: jsonResponse(text, status, headers) };
}

function rpcError(answer: UpstreamAnswer, bytes: Uint8Array): string | null {
  if (mediaType(answer) !== 'application/json') return null;
  try {
    const text = requireJson(bytes);
    const { jsonrpc, error } = JSON.parse(text);
    return jsonrpc === '2.0' && typeof error === 'object' ? text : null;
  } catch {
    return null;
  }
}

function plainRefusal(status: number, { awaited }: RelayOptions): string {
  const message = `The MCP server answered with the status ${status}`;
  return JSON.stringify({ jsonrpc: '2.0', id: awaited, error: { code: -32_603, message } });
}

/** What is beyond that is not read: the answer is cut off. */
async function readUpTo({ body }: UpstreamAnswer, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  try {
    while (length <= most) {
      const read = await reader.read();
      if (read.done) break;
      pieces.push(read.value);
      length += read.value.byteLength;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return Buffer.concat(pieces, length);
}
