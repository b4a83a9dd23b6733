import { SandgateError } from '@sandgate/core';
import { readBody } from './read-body.ts';
import type { RequestContext } from './request-context.ts';

/**
 * The JSON that a request carries. Undefined for none, where that is allowed.
 * @throws SandgateError `payload_too_large`, `unsupported_media_type`, `invalid_request`
 */
export async function readJson(
  context: RequestContext,
  maxBytes: number,
  optional: boolean,
): Promise<unknown> {
  const text = await readBody(context.req.raw, maxBytes);
  if (text === '' && optional) return undefined;
  requireJsonType(context);
  return parseJson(text, JSON.parse);
}

/** The text of a JSON body, for who has to read it in another way. */
export async function readJsonText(context: RequestContext, maxBytes: number): Promise<string> {
  const text = await readBody(context.req.raw, maxBytes);
  requireJsonType(context);
  return text;
}

function requireJsonType(context: RequestContext): void {
  const mediaType = (context.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new SandgateError(
      'unsupported_media_type',
      'Send JSON, with Content-Type: application/json',
    );
  }
}

/** @throws SandgateError `invalid_request` */
export function parseJson(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    // The parser's own message quotes the body, which may hold a key or a password.
    const problem = text.trim() === '' ? 'is missing' : 'is not JSON';
    throw new SandgateError('invalid_request', `the body: ${problem}`);
  }
}
