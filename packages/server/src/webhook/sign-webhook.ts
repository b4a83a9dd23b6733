import { createHmac } from 'node:crypto';

export const signatureHeader = 'X-Sandgate-Signature';

/**
 * `t=<seconds since the epoch>,v1=<hex>`: HMAC-SHA256, keyed with the text of the secret, over the
 * time, a full stop and the body. A receiver computes the same, compares in constant time, and
 * refuses times that are more than some minutes off.
 */
export function signWebhook(secret: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000);
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${mac}`;
}
