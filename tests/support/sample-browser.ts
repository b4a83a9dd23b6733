import type { TestApp } from './test-app.ts';

/** A browser with one page of the server open: it keeps cookies, and says where it is. */
export function sampleBrowser(
  { app }: Pick<TestApp, 'app'>,
  { origin = 'http://localhost' }: { readonly origin?: string } = {},
) {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>();

  const keep = (line: string): void => {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const path = /; Path=([^;]+)/.exec(line)?.[1] ?? '/';
    if (/; Max-Age=0(;|$)/.test(line)) cookies.delete(name);
    else cookies.set(name, { value, path });
  };
  const cookieHeader = (path: string): string =>
    [...cookies]
      .filter(([, { path: where }]) => path.startsWith(where))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');

  return {
    keep,
    cookie: (name: string): string | undefined => cookies.get(name)?.value,
    async send(
      method: string,
      path: string,
      { body, headers = {} }: { readonly body?: unknown; readonly headers?: object } = {},
    ) {
      const changes = method !== 'GET';
      const csrf = cookies.get('sandgate_csrf')?.value;
      const response = await app.request(`http://localhost${path}`, {
        method,
        headers: {
          host: 'localhost',
          cookie: cookieHeader(path),
          'sec-fetch-site': 'same-origin',
          ...(changes ? { origin } : {}),
          ...(changes && csrf !== undefined ? { 'x-csrf-token': csrf } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const set = response.headers.getSetCookie();
      for (const line of set) keep(line);
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
      return {
        status: response.status,
        code: response.headers.get('x-error-code'),
        set,
        text,
        // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
        body: (isJson ? JSON.parse(text) : null) as ReturnType<typeof JSON.parse>,
      };
    },
  };
}
