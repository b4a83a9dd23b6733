import { SandgateError } from '@sandgate/core';

/**
 * Reads a request body as UTF-8, and stops reading as soon as it is too long.
 * @throws SandgateError `payload_too_large`, `invalid_request` for bytes that are not UTF-8
 */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = (): SandgateError =>
    new SandgateError('payload_too_large', `The request body is larger than ${maxBytes} bytes`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new SandgateError('invalid_request', 'The request body is not valid UTF-8', { cause });
  }
}
