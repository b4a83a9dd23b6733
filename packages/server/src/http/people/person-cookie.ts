import { cookieValues } from '../read-cookie.ts';
import type { SignOnServices } from '../sign-on-services.ts';

type PublicUrl = Pick<SignOnServices, 'publicUrl'>;

const name = 'sandgate_oauth_person';
/** Where a person lets programs in. */
export const signInPath = '/oauth/sign-in';

/**
 * Who sits before a browser that lets a program in: an access token. Lax, since programs send the
 * browser there from anywhere; what it may change is asked for in a form of that page alone.
 */
export const personCookie = (
  signOn: PublicUrl,
  requestUrl: string,
  accessToken: string,
  maxAgeSeconds: number,
): string => {
  const base = signOn.publicUrl === '' ? '' : new URL(signOn.publicUrl).pathname.replace(/\/$/, '');
  const isSecure = [signOn.publicUrl, requestUrl].some((url) => url.startsWith('https:'));
  const value = `${name}=${accessToken}; Max-Age=${maxAgeSeconds}; Path=${base}${signInPath}`;
  return `${value}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
};

export const readPersonCookie = (cookies: string): string | null =>
  cookieValues(cookies, name)[0] ?? null;
