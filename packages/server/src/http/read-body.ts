import { SandgateError } from '@sandgate/core';

/**
 * Reads a request body as UTF-8, and stops reading as soon as it is too long.
 * @throws SandgateError `payload_too_large`, `invalid_request` for bytes that are not UTF-8
 */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes === null) {
    throw new SandgateError(
      'payload_too_large',
      `The request body is larger than ${maxBytes} bytes`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SandgateError('invalid_request', 'The request body is not valid UTF-8', { cause });
  }
}

/** Null when they are more. */
async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array | null> {
  const stated = request.headers.get('content-length');
  if (stated !== null) {
    if (Number(stated) > maxBytes) return null;
    // Node takes no more than was stated. Read whole, it needs no web stream, and none is made.
    const whole = new Uint8Array(await request.arrayBuffer());
    return whole.byteLength > maxBytes ? null : whole;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
