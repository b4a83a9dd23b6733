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
  const read = {
    text: line.trim(),
    id: id === undefined || id === null ? null : JSON.stringify(id),
    params: isObject(params) ? params : {},
  };
  if (typeof method === 'string') {
    return { ...read, kind: read.id === null ? 'notification' : 'request', method };
  }
  const isAnswer = read.id !== null && (result !== undefined || error !== undefined);
  return isAnswer ? { ...read, kind: 'answer', method: null } : null;
}

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
