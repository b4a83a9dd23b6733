/**
 * A JSON answer of known length. It leaves in one write: clients that give up a connection as soon as
 * they have its headers would lose a body that comes after them.
 */
export function jsonResponse(
  value: unknown,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return textResponse(JSON.stringify(value), status, headers);
}

/** The same of JSON that is text already. */
export function textResponse(
  body: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      ...headers,
    },
  });
}

/** `message` is never empty: clients take an answer without one for the payload itself. */
export const envelope = (message: string, data: unknown): object =>
  data === undefined ? { message } : { message, data };
