import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SandgateError } from '@sandgate/core';
import type { App } from '../../request-context.ts';

/** Nothing is loaded from anywhere else, and no script or style that is not a file of ours. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sandgate API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <div id="reference"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const startScript = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
`;

const javascript = 'text/javascript; charset=utf-8';

/** Of the package, only what the page loads. */
const packageFiles: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': javascript,
};

/** `/api/v1/openapi.json` and a page that shows it, without a word to any other host. */
export function mountReference(app: App, document: () => unknown): void {
  let json: string | null = null;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();

  app.get('/api/v1/openapi.json', () => {
    json ??= JSON.stringify(document());
    return new Response(json, { headers: { 'Content-Type': 'application/json' } });
  });
  app.get('/api/v1/docs', () => {
    return new Response(page, {
      headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' },
    });
  });
  app.get('/api/v1/docs/start.js', () => {
    return new Response(startScript, { headers: { ...headers, 'Content-Type': javascript } });
  });
  app.get('/api/v1/docs/:file', (context) => {
    const name = context.req.param('file');
    const type = Object.hasOwn(packageFiles, name) ? packageFiles[name] : undefined;
    if (type === undefined) throw new SandgateError('not_found', 'Not found');
    const content = files.get(name) ?? new Uint8Array(readFileSync(join(packageFolder(), name)));
    files.set(name, content);
    return new Response(content, { headers: { ...headers, 'Content-Type': type } });
  });
}

const require = createRequire(import.meta.url);

const packageFolder = (): string => dirname(require.resolve('swagger-ui-dist/package.json'));
