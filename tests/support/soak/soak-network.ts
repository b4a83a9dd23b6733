import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Loopback of this machine alone. No program inside takes them for its own: it asks the proxy. */
const hosts = ['127.0.0.5', '127.0.0.6'] as const;

/** Two servers that sandboxes may reach, or one of them, or none. */
export interface SoakNetwork {
  /** `host:port` */
  readonly first: string;
  readonly second: string;
  close(): void;
}

/** Lets the sandboxes of a home have these addresses, which are refused in every mode otherwise. */
export function allowSoakNetwork(home: string): void {
  const allowedPrivateRanges = hosts.map((host) => `${host}/32`);
  writeFileSync(join(home, 'config.json'), JSON.stringify({ egress: { allowedPrivateRanges } }));
}

/** They answer at once, but for `/hold`, whose answer begins and never ends. */
export async function openSoakNetwork(): Promise<SoakNetwork> {
  const servers = hosts.map((host) =>
    createServer((request, response) => {
      if (request.url === '/hold') response.write('held\n');
      else response.end('here\n');
    }).listen(0, host),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const [first = '', second = ''] = servers.map(addressOf);
  return {
    first,
    second,
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `${address}:${port}`;
}
