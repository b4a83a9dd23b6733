import { SandgateError } from '@sandgate/core';

/** Headers in which a credential may come, and how its text is taken out of each. */
const credentialHeaders = {
  'proxy-authorization': bearerOrBare,
  authorization: bearerOrBare,
  'x-api-key': bare,
  'x-brimble-key': bare,
} as const;

export type CredentialHeader = keyof typeof credentialHeaders;

function bare(value: string): string {
  return value.trim();
}

/** The scheme's case does not matter (RFC 9110, 11.1). */
function bearerOrBare(value: string): string {
  return value.trim().replace(/^bearer(\s+|$)/i, '');
}

/** In lower case. */
export const credentialHeaderNames = Object.keys(credentialHeaders) as readonly CredentialHeader[];

/** What a server knows of a request's headers: all values of a name, in lower case. */
export type HeaderValues = (name: CredentialHeader) => readonly string[];

/**
 * The credential that a request carries in one of the headers that a door accepts, or null.
 *
 * @throws SandgateError `credential_ambiguous` when it carries two different ones, in whatever
 * credential header: a bad one must never be passed over for a good one
 */
export function readCredential(
  values: HeaderValues,
  accepted: readonly CredentialHeader[],
): string | null {
  let presented: string | null = null;
  let isAccepted = false;
  for (const name of credentialHeaderNames) {
    for (const value of values(name)) {
      const credential = credentialHeaders[name](value);
      if (presented !== null && credential !== presented) throw ambiguous();
      presented = credential;
      isAccepted ||= accepted.includes(name);
    }
  }
  return isAccepted && presented !== '' ? presented : null;
}

const ambiguous = (): SandgateError =>
  new SandgateError(
    'credential_ambiguous',
    'The request carries more than one credential. Send one API key, in one header',
  );
