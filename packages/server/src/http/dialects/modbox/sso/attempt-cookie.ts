import { setCookie } from '../../../people/session-cookies.ts';
import { cookieValues } from '../../../read-cookie.ts';
import type { SignOnServices } from '../../../sign-on-services.ts';

const name = 'sandgate_sign_in';
const maxAgeSeconds = 600;
const codeSeconds = 60;

type PublicUrl = Pick<SignOnServices, 'publicUrl'>;

/** Where the provider sends the browser back to. Registered there, letter by letter. */
export const callbackUrl = ({ publicUrl }: PublicUrl, provider: string): string =>
  `${publicUrl}/auth/sso/${encodeURIComponent(provider)}/callback`;

const attributes = ({ publicUrl }: PublicUrl): string =>
  // Lax: the way back from the provider is a navigation from another site.
  `Path=/; HttpOnly; SameSite=Lax${publicUrl.startsWith('https:') ? '; Secure' : ''}`;

export const attemptCookie = (signOn: PublicUrl, sealed: string): string =>
  `${name}=${sealed}; Max-Age=${maxAgeSeconds}; ${attributes(signOn)}`;

export const endedAttemptCookie = (signOn: PublicUrl): string =>
  `${name}=; Max-Age=0; ${attributes(signOn)}`;

export const readAttemptCookie = (header: string): string => cookieValues(header, name)[0] ?? '';

/** For the session of cookies that a code of this sign-in stands for. */
export const codeCookie = ({ publicUrl }: PublicUrl, code: string): string =>
  setCookie('code', code, codeSeconds, { secure: publicUrl.startsWith('https:') });
