import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const name = `sandgate-canary-${process.pid}`;
const listening = new Map<string, Promise<void>>();

/** Listens on the host under an abstract name and on a path that everybody can reach, until the end. */
export async function listenOnAbstractSocket(folder: string) {
  const path = join(folder, 'host.sock');
  for (const address of [`\0${name}`, path]) {
    if (listening.has(address)) continue;
    const server = createServer((socket) => socket.end());
    listening.set(address, new Promise((resolve) => server.listen(address, resolve)));
    await listening.get(address);
    closers.push(() => server.close());
  }
  return { name, path };
}

const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers.splice(0)) close();
});
