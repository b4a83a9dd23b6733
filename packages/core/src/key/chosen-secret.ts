import { createHmac } from 'node:crypto';
import { SandgateError } from '../error/sandgate-error.ts';
import { looksLikeAccessToken } from './check/verify-access-token.ts';
import { deriveSecret } from './derive-secret.ts';
import type { ServerKey } from './key-digest.ts';
import { keyTextFrom, parseKeyText } from './key-text.ts';

const shortestLength = 8;
const longestLength = 512;

/**
 * The text of the ordinary key that stands for a secret which somebody chose for one sandbox. It is made
 * anew from the secret at each call, and the secret is stored nowhere: what was chosen for one sandbox
 * opens no other, and nobody who reads the database can try secrets without the server key.
 */
export function keyTextOfChosen(serverKey: ServerKey, sandboxId: string, chosen: string): string {
  const secret = deriveSecret(serverKey, 'secrets of sandboxes');
  return keyTextFrom(
    'mbx_',
    createHmac('sha256', secret).update(`${sandboxId} ${chosen}`).digest(),
  );
}

/** Whether a credential is one of this server's own, and so no secret that somebody chose. */
export const isOwnCredential = (text: string): boolean =>
  parseKeyText(text) !== null || looksLikeAccessToken(text);

/** @throws SandgateError `invalid_request` for what cannot be told from a key, or sent in a header */
export function requireChosenSecret(name: string, chosen: string): string {
  const problem = problemOf(chosen);
  if (problem === null) return chosen;
  throw new SandgateError('invalid_request', `${name} ${problem}`);
}

function problemOf(chosen: string): string | null {
  if (isOwnCredential(chosen))
    return 'must not be an API key or access token: make a secret of its own';
  if (chosen.length < shortestLength || chosen.length > longestLength) {
    return `must have ${shortestLength} to ${longestLength} characters`;
  }
  return /^[\x21-\x7e]+$/.test(chosen)
    ? null
    : 'must be of printable ASCII characters without spaces';
}
