import { deriveSecret } from '../key/derive-secret.ts';
import type { ServerKey } from '../key/key-digest.ts';

/**
 * What a webhook's messages are signed with. Made of the server key and the webhook's id, so that it
 * is stored nowhere; another server key, or another id, makes another secret.
 */
export function webhookSecret(serverKey: ServerKey, webhookId: string): string {
  return `whsec_${deriveSecret(serverKey, `webhook ${webhookId}`).toString('base64url')}`;
}
