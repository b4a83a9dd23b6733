/** Where a browser is: a page of the server, or an address of somebody else that it was sent to. */
export interface Visit {
  readonly url: string;
  /** 0 for an address that is not the server's. */
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** A browser before a server that listens: it keeps cookies, follows, and sends the forms of pages. */
export function socketBrowser(address: string) {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>();
  let current: Visit | null = null;

  const keep = (line: string): void => {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const path = /; path=([^;]+)/i.exec(line)?.[1] ?? '/';
    const ends = /; max-age=0(;|$)/i.test(line) || /; expires=[^;]*1970/i.test(line);
    if (ends) cookies.delete(`${path} ${name}`);
    else cookies.set(`${path} ${name}`, { value, path });
  };
  const cookieHeader = (path: string): string =>
    [...cookies]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name.split(' ')[1]}=${value}`)
      .join('; ');

  const go = async (
    url: string,
    form: string | null,
    headers: Readonly<Record<string, string>>,
  ): Promise<Visit> => {
    let next = { url, form };
    for (let step = 0; step < 10; step += 1) {
      if (!next.url.startsWith(`${address}/`)) {
        current = { url: next.url, status: 0, text: '', headers: new Headers() };
        return current;
      }
      const response = await fetch(next.url, {
        redirect: 'manual',
        headers: {
          cookie: cookieHeader(new URL(next.url).pathname),
          ...(next.form === null
            ? {}
            : { origin: address, 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
        ...(next.form === null ? {} : { method: 'POST', body: next.form }),
      });
      for (const line of response.headers.getSetCookie()) keep(line);
      const location = response.headers.get('location');
      const text = await response.text();
      if (location === null) {
        current = { url: next.url, status: response.status, text, headers: response.headers };
        return current;
      }
      next = { url: new URL(location, next.url).href, form: null };
    }
    throw new Error('The server sends the browser round in circles.');
  };

  return {
    cookieNames: (): readonly string[] =>
      [...cookies.keys()].map((name) => name.split(' ')[1] ?? ''),
    open: (url: string) => go(url, null, {}),
    /** Sends the form of the page that is open, with its hidden fields. */
    async submit(
      fields: Readonly<Record<string, string | readonly string[]>>,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<Visit> {
      if (current === null) throw new Error('No page is open.');
      const form = new URLSearchParams();
      for (const [, name = '', value = ''] of current.text.matchAll(
        /<input type="hidden" name="([^"]*)" value="([^"]*)"/g,
      )) {
        form.set(name, value);
      }
      for (const [name, value] of Object.entries(fields)) {
        form.delete(name);
        for (const each of [value].flat()) form.append(name, each);
      }
      return await go(current.url, form.toString(), headers);
    },
  };
}
