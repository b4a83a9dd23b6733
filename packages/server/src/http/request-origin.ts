const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The origin of a page that this server itself would have served: another port is another program. */
export const ownOrigin = (requestUrl: string, host: string): string =>
  new URL(`${new URL(requestUrl).protocol}//${host}`).origin;

export const isLoopbackUrl = (text: string): boolean =>
  loopbackNames.has((URL.canParse(text) ? new URL(text) : null)?.hostname ?? '');
