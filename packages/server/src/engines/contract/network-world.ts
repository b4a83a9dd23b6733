import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { EgressRules } from '@sandgate/core';
import { type KnownNames, type NameServer, startNameServer } from './name-server.ts';

/** What is beyond the sandboxes of a suite, on this machine's loopback, which stands for the Internet. */
export interface NetworkWorld {
  /** For the engine: the loopback is open to sandboxes, everything else as ever. */
  readonly rules: EgressRules;
  readonly nameServers: readonly string[];
  /** Answers each request with `METHOD PATH LENGTH`, LENGTH being that of the body. */
  readonly webPort: number;
  /** Says back what it hears, and at the end of it `bye`. */
  readonly echoPort: number;
  /** Connections of the echo server that are open. */
  readonly echoes: ReadonlySet<Socket>;
  /** Names that were asked for, each time. */
  readonly askedNames: string[];
  close(): Promise<void>;
}

const names: KnownNames = {
  'web.example': [['127.0.0.1']],
  'sub.web.example': [['127.0.0.1']],
  'private.example': [['10.11.12.13']],
  'metadata.example': [['169.254.169.254']],
  'mixed.example': [['192.168.7.7', '127.0.0.1']],
  'turning.example': [['127.0.0.1'], ['10.11.12.13']],
};

export async function startNetworkWorld(): Promise<NetworkWorld> {
  const echoes = new Set<Socket>();
  const nameServer = await startNameServer(names, { address: '127.0.0.1', port: 0 });
  const web = createHttpServer((request, response) => {
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    request.on('end', () => response.end(`${request.method} ${request.url} ${length}\n`));
  });
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    echoes.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => echoes.delete(socket));
    socket.pipe(socket, { end: false });
    socket.on('end', () => socket.end('bye'));
  });
  return {
    rules: { allowedPrivateRanges: ['127.0.0.0/8'], refusedPorts: [25] },
    nameServers: [`127.0.0.1:${nameServer.port}`],
    webPort: await listen(web),
    echoPort: await listen(echo),
    echoes,
    askedNames: nameServer.askedNames,
    close: () => close(nameServer, web, echo, echoes),
  };
}

async function listen(server: Server | HttpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(
  nameServer: NameServer,
  web: HttpServer,
  echo: Server,
  echoes: ReadonlySet<Socket>,
): Promise<void> {
  nameServer.close();
  for (const socket of echoes) socket.destroy();
  web.closeAllConnections();
  await Promise.all([web, echo].map((server) => new Promise((done) => server.close(done))));
}
