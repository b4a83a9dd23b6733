/** The whole server, loaded by the commands that need it and not for help or a typing mistake. */
export function loadServer(): Promise<typeof import('@sandgate/server')> {
  return import('@sandgate/server');
}
