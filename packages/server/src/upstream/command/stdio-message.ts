/** One line that a command wrote. */
export interface StdioMessage {
  readonly text: string;
  readonly kind: 'request' | 'notification' | 'answer';
  /** As JSON; null of a notification. */
  readonly id: string | null;
  /** Null of an answer. */
  readonly method: string | null;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Null: it is no message of JSON-RPC. */
export function readStdioMessage(line: string): StdioMessage | null {
  const message = parse(line);
  if (message === null || message.jsonrpc !== '2.0') return null;
  const { id, method, result, error, params } = message;
  if (!isId(id)) return null;
  const read = {
    // Outside of strings JSON may have it, and in an event it would be the end of a line.
    text: line.trim().replaceAll('\r', ' '),
    id: id === undefined || id === null ? null : JSON.stringify(id),
    params: isObject(params) ? params : {},
  };
  if (typeof method === 'string') {
    return { ...read, kind: read.id === null ? 'notification' : 'request', method };
  }
  const isAnswer = read.id !== null && (result !== undefined || error !== undefined);
  return isAnswer ? { ...read, kind: 'answer', method: null } : null;
}

/** What nests deeply could not be written again. */
const isId = (id: unknown): boolean =>
  id === undefined || id === null || typeof id === 'string' || typeof id === 'number';

function parse(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
