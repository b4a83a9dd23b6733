import { html } from 'hono/html';

type Html = ReturnType<typeof html>;

const style = `
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2328; background: #f6f8fa; margin: 0 }
main { max-width: 30rem; margin: 4rem auto; padding: 2rem; background: #fff; border: 1px solid #d1d9e0; border-radius: 8px }
h1 { font-size: 1.25rem; margin-top: 0 }
label, legend { display: block; margin: 1rem 0 .25rem; padding: 0; font-weight: 600 }
fieldset { border: 0; margin: 1rem 0 0; padding: 0 }
fieldset label, .plain { font-weight: 400; margin: 0 }
input[type=text], input[type=email], input[type=password], input[type=number], select, textarea { width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; border: 1px solid #d1d9e0; border-radius: 6px }
button, .button { font: inherit; padding: .5rem 1rem; margin: 1.5rem .5rem 0 0; border: 1px solid #d1d9e0; border-radius: 6px; background: #f6f8fa; color: inherit; text-decoration: none; display: inline-block; cursor: pointer }
button.main { background: #1a7f37; border-color: #1a7f37; color: #fff }
.error { background: #ffebe9; border: 1px solid #ff818266; border-radius: 6px; padding: .5rem 1rem }
.note { color: #59636e; font-size: .875rem }
code { font-size: .875rem; overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117 }
  main, input, select, textarea { background: #151b23 !important; color: inherit; border-color: #3d444d !important }
  button, .button { background: #212830; border-color: #3d444d }
  .error { background: #25171c; border-color: #f8514966 } .note { color: #9198a1 }
}`;

/** A page of the sign-in: no script, nothing from elsewhere, and in no frame. */
export async function page(
  title: string,
  content: Html,
  { status = 200, nonce }: { readonly status?: number; readonly nonce: string },
): Promise<Response> {
  const text = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Sandgate</title>
<style nonce="${nonce}">${style}</style>
</head>
<body><main>
<h1>${title}</h1>
${content}
</main></body>
</html>
`;
  return new Response(String(text), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      // Without its origin in the form, nobody could tell whose page sent it.
      'Referrer-Policy': 'same-origin',
      'Cache-Control': 'no-store',
    },
  });
}

/** What was wrong with the last try. */
export const errorNote = (message: string | null): Html | string =>
  message === null ? '' : html`<p class="error" role="alert">${message}</p>`;
