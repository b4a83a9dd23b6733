import { createHmac } from 'node:crypto';
import { deriveSecret } from './derive-secret.ts';
import type { ServerKey } from './key-digest.ts';
import { keyTextFrom } from './key-text.ts';

/**
 * The text of the ordinary key that a grant of OAuth is. It is made anew from the grant's id at each
 * call, is stored nowhere, and nobody is ever told it: whoever has a token of the grant acts with that key,
 * and what ends, narrows, limits or lists keys does so to the grant.
 */
export function grantKeyText(serverKey: ServerKey, grantId: string): string {
  const secret = deriveSecret(serverKey, 'keys of OAuth grants');
  return keyTextFrom('mbx_', createHmac('sha256', secret).update(grantId).digest());
}
