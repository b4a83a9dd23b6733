import { SandgateError } from '@sandgate/core';
import { parseJson } from '../../read-json.ts';
import type { JsonRpcId } from '../error-response.ts';
import { parseExactly } from './exact-json.ts';

/** One message of a client, as it is forwarded: what was decided on is what the upstream gets. */
export interface GateMessage {
  /** Null for what asks for no answer. */
  readonly id: JsonRpcId | null;
  /** Null for the answer to something that the upstream asked. */
  readonly method: string | null;
  readonly params: Readonly<Record<string, unknown>>;
  /** The tool that it calls, or null. */
  readonly tool: string | null;
  readonly text: string;
}

const invalid = (message: string): SandgateError => new SandgateError('invalid_request', message);

const members = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const maxMethodCharacters = 128;
const maxToolCharacters = 256;

/**
 * Reads a body once, and writes it anew. Parsers differ in what they make of members that occur twice
 * or in another case, so there are none of either in what is forwarded.
 * @throws SandgateError `invalid_request`
 */
export function readGateMessage(body: string): GateMessage {
  const message = parseJson(body, parseExactly);
  if (Array.isArray(message)) {
    throw invalid('A batch is not taken here. Send one message at a time');
  }
  if (!isObject(message)) throw invalid('the body: is no JSON-RPC message');
  for (const member of Object.keys(message)) {
    if (!members.has(member)) {
      throw invalid(`the body: "${member.slice(0, 64)}" is no member of a JSON-RPC message`);
    }
  }
  if (message.jsonrpc !== '2.0') throw invalid('jsonrpc: must be "2.0"');
  const params = readParams(message.params);
  const read = { id: readId(message), method: readMethod(message), params };
  return { ...read, tool: toolOf(read), text: write(message) };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readParams(params: unknown): Readonly<Record<string, unknown>> {
  if (params === undefined) return {};
  if (!isObject(params)) throw invalid('params: must be an object');
  return params;
}

function readId(message: Readonly<Record<string, unknown>>): JsonRpcId | null {
  const { id } = message;
  if (id === undefined) return null;
  // An object is a number with more digits than a double has.
  const isRaw = isObject(id) && 'rawJSON' in id && Object.getPrototypeOf(id) === null;
  if (typeof id === 'string' || typeof id === 'number') return id;
  if (isRaw && (JSON as unknown as RawJson).isRawJSON(id)) return id;
  throw invalid('id: must be a string or a number');
}

interface RawJson {
  readonly isRawJSON: (value: unknown) => boolean;
}

function readMethod({
  id,
  method,
  result,
  error,
}: Readonly<Record<string, unknown>>): string | null {
  const isReply = result !== undefined || error !== undefined;
  if (method === undefined) {
    if (isReply && id !== undefined) return null;
    throw invalid('method: is missing');
  }
  if (isReply) throw invalid('the body: is a request and a response at once');
  if (typeof method === 'string' && method !== '' && method.length <= maxMethodCharacters) {
    return method;
  }
  throw invalid(`method: must be a string of 1 to ${maxMethodCharacters} characters`);
}

/** Also in alphabets that some parsers take for ours: `ſ` is an `S`. */
const fold = (name: string): string => name.toUpperCase().toLowerCase();
const namedExactly = new Set(['name', 'arguments']);

function toolOf({ id, method, params }: Omit<GateMessage, 'text' | 'tool'>): string | null {
  if (method !== 'tools/call') return null;
  if (id === null) throw invalid('id: is missing, and a tool is not called without one');
  for (const name of Object.keys(params)) {
    if (namedExactly.has(fold(name)) && !namedExactly.has(name)) {
      throw invalid(`params: write "${fold(name)}" in lower case`);
    }
  }
  const { name } = params;
  const isName = typeof name === 'string' && name !== '' && name.length <= maxToolCharacters;
  if (isName && !/\p{Cc}/u.test(name)) return name;
  throw invalid(`params.name: must be the name of a tool, of 1 to ${maxToolCharacters} characters`);
}

function write(message: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(message);
  } catch {
    throw invalid('the body: is nested too deeply');
  }
}
