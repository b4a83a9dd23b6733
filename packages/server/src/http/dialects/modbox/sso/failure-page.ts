import type { SandgateError } from '@sandgate/core';
import type { RequestContext } from '../../../request-context.ts';
import { modboxStatus } from '../error-response.ts';

/** Whether somebody sits before a sign-on and reads what went wrong: programs ask for JSON. */
export const readsPages = ({ req }: RequestContext): boolean =>
  req.method === 'GET' &&
  /^(\/modbox)?\/auth\/sso\//.test(req.path) &&
  (req.header('accept') ?? '').includes('text/html');

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** For a failure that leads back to no page of anybody: it was not begun here, or the address is refused. */
export function failurePage(error: SandgateError): Response {
  const { code, message } = error;
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign-in failed</title>
<h1>Sign-in failed</h1>
<p>${escaped(message)}</p>
<p><small>${escaped(code)}</small></p>
</html>
`;
  return new Response(page, {
    status: modboxStatus(error),
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
      'X-Error-Code': code,
    },
  });
}
