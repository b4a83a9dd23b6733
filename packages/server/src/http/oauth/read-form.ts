import { SandgateError } from '@sandgate/core';
import { readBody } from '../read-body.ts';
import type { RequestContext } from '../request-context.ts';

const maxFormBytes = 64 * 1024;

/** @throws SandgateError `payload_too_large`, `unsupported_media_type` */
export async function readForm(context: RequestContext): Promise<URLSearchParams> {
  const mediaType = (context.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/x-www-form-urlencoded') {
    throw new SandgateError('unsupported_media_type', 'Send the form of the page');
  }
  return new URLSearchParams(await readBody(context.req.raw, maxFormBytes));
}
