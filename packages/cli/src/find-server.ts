import { clientEnvironment } from './env-file.ts';
import { failure } from './exit.ts';
import { loadServer } from './server-module.ts';
import type { Terminal } from './terminal.ts';

const defaultServer = 'http://127.0.0.1:5555';

/** Where a command calls, and with which key. */
export interface ServerDoor {
  readonly url: URL;
  readonly key: string | undefined;
}

/**
 * A door of the server that an option names, else the environment or `.env`, else of this machine's
 * own.
 */
export async function findServer(
  terminal: Pick<Terminal, 'environment' | 'currentFolder'>,
  path: string,
  server?: string,
): Promise<ServerDoor> {
  const environment = await clientEnvironment(terminal);
  const text = server ?? (environment.MSB_SERVER_URL || (await localServer(environment)));
  const url = URL.parse(path, text.endsWith('/') ? text : `${text}/`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const name = server === undefined ? 'MSB_SERVER_URL' : '--server';
    throw failure(`${name} is not an address such as https://sandgate.example:5555`);
  }
  return { url, key: environment.MSB_API_KEY };
}

/** The server on the state directory, wherever it listens. */
async function localServer(environment: Terminal['environment']): Promise<string> {
  const { chooseHome, findRunningServer } = await loadServer();
  return (await findRunningServer(chooseHome(undefined, environment)))?.address ?? defaultServer;
}
