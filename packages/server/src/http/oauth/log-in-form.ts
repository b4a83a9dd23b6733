import { html } from 'hono/html';
import { describeProgram } from './describe-program.ts';
import type { PendingSignIn } from './oauth-services.ts';
import { errorNote } from './page.ts';

/** Asks who sits before the browser. */
export const logInForm = (
  pending: PendingSignIn,
  options: {
    /** Names of the providers of single sign-on. */
    readonly providers: readonly string[];
    /** False where a login needs a captcha, which this page has not. */
    readonly takesPasswords: boolean;
    readonly problem: string | null;
  },
) => html`
${errorNote(options.problem)}
${describeProgram(pending)}
<p>Log in to decide about it.</p>
${
  options.takesPasswords
    ? html`<form method="post">
<input type="hidden" name="sign_in" value="${pending.id}">
<label for="email">E-mail address</label>
<input id="email" type="email" name="email" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" type="password" name="password" autocomplete="current-password" required>
<button class="main" name="action" value="log_in">Log in</button>
<button name="action" value="deny" formnovalidate>Refuse</button>
</form>`
    : ''
}
${options.providers.map(
  (name) =>
    html`<a class="button" href="../auth/sso/${encodeURIComponent(name)}?answer=page">Sign in with ${name}</a> `,
)}
${
  options.takesPasswords || options.providers.length > 0
    ? ''
    : html`<p class="error">This server asks for a captcha at each login, and has no provider of single sign-on: nobody can log in here.</p>`
}
`;
