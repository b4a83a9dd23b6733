import type { SessionTokens, User } from '@sandgate/core';
import { z } from 'zod';
import {
  type CookieOrigin,
  cookiesOfNobody,
  cookiesOfSession,
} from '../../people/session-cookies.ts';
import type { PublicContext } from '../route.ts';
import { personFields, toPerson } from '../users/user-schemas.ts';

/** What a page is told: the tokens themselves are in cookies, where no script finds them. */
export const sessionAnswer = z
  .strictObject({
    user: z.strictObject(personFields),
    csrf_token: z
      .string()
      .meta({ description: 'Goes as X-CSRF-Token into every call that changes something' }),
    expires_in: z.int().meta({ description: 'Seconds until the session has to be refreshed' }),
    refresh_expires_in: z.int().meta({ description: 'Seconds for which it can be refreshed' }),
  })
  .meta({ id: 'BrowserSession' });

type AnsweringContext = Pick<PublicContext, 'signOn' | 'page' | 'randomness'>;

const originOf = ({ signOn, page }: AnsweringContext): CookieOrigin => ({
  secure: [signOn.publicUrl, page.url].some((url) => url.startsWith('https:')),
});

/** Hands a session to the browser that asks. */
export function answerSession(
  context: AnsweringContext,
  user: User,
  tokens: SessionTokens,
): Response {
  const csrfToken = Buffer.from(context.randomness.bytes(20)).toString('hex');
  const answer: z.input<typeof sessionAnswer> = {
    user: toPerson(user),
    csrf_token: csrfToken,
    expires_in: Math.floor(tokens.accessMs / 1_000),
    refresh_expires_in: Math.floor(tokens.refreshMs / 1_000),
  };
  const cookies = cookiesOfSession(tokens, csrfToken, originOf(context));
  return Response.json(answer, { headers: withCookies(cookies) });
}

/** Takes it from the browser again. */
export const answerNobody = (context: AnsweringContext): Response =>
  new Response(null, { status: 204, headers: withCookies(cookiesOfNobody(originOf(context))) });

function withCookies(cookies: readonly string[]): Headers {
  const headers = new Headers({ 'Cache-Control': 'no-store' });
  for (const cookie of cookies) headers.append('Set-Cookie', cookie);
  return headers;
}
