import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { EgressRules } from '@sandgate/core';

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

/** The first answer of each question; the last one stays. */
const names: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'web.example': [['127.0.0.1']],
  'sub.web.example': [['127.0.0.1']],
  'private.example': [['10.11.12.13']],
  'metadata.example': [['169.254.169.254']],
  'mixed.example': [['192.168.7.7', '127.0.0.1']],
  'turning.example': [['127.0.0.1'], ['10.11.12.13']],
};

export async function startNetworkWorld(): Promise<NetworkWorld> {
  const askedNames: string[] = [];
  const echoes = new Set<Socket>();
  const nameServer = createSocket('udp4');
  nameServer.on('message', (query, { port, address }) => {
    nameServer.send(answerQuery(query, askedNames), port, address);
  });
  nameServer.bind(0, '127.0.0.1');
  await once(nameServer, 'listening');
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
    nameServers: [`127.0.0.1:${nameServer.address().port}`],
    webPort: await listen(web),
    echoPort: await listen(echo),
    echoes,
    askedNames,
    close: () => close(nameServer, web, echo, echoes),
  };
}

async function listen(server: Server | HttpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(
  nameServer: Datagrams,
  web: HttpServer,
  echo: Server,
  echoes: ReadonlySet<Socket>,
): Promise<void> {
  nameServer.close();
  for (const socket of echoes) socket.destroy();
  web.closeAllConnections();
  await Promise.all([web, echo].map((server) => new Promise((done) => server.close(done))));
}

const addressRecord = 1;

/** RFC 1035, 4: one question, answered with A records, or with none. */
function answerQuery(query: Buffer, askedNames: string[]): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  const question = query.subarray(12, at + 5);
  const type = query.readUInt16BE(at + 1);
  const name = labels.join('.').toLowerCase();
  const known = names[name];
  const times = askedNames.filter((asked) => asked === name).length;
  const addresses =
    type === addressRecord ? (known?.[Math.min(times, known.length - 1)] ?? []) : [];
  if (type === addressRecord) askedNames.push(name);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8);
  const answers = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([header, question, ...answers]);
}
