import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4, isIPv6 } from 'node:net';

/** A name server for tests. */
export interface NameServer {
  readonly port: number;
  /** Names whose IPv4 addresses were asked for, each time. */
  readonly askedNames: string[];
  close(): void;
}

/** Of each name, the addresses of the first answer, of the second and so on; the last ones stay. */
export type KnownNames = Readonly<Record<string, readonly (readonly string[])[]>>;

export async function startNameServer(
  names: KnownNames,
  place: { readonly address: string; readonly port: number },
): Promise<NameServer> {
  const askedNames: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    socket.send(answerQuery(query, names, askedNames), port, address);
  });
  socket.bind(place.port, place.address);
  await once(socket, 'listening');
  return { port: socket.address().port, askedNames, close: () => void socket.close() };
}

const types = { a: 1, aaaa: 28 } as const;
const headerBytes = 12;

/** RFC 1035, 4: one question, answered with what is known, or with none. */
function answerQuery(query: Buffer, names: KnownNames, askedNames: string[]): Buffer {
  const labels: string[] = [];
  let at = headerBytes;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  const question = query.subarray(headerBytes, at + 5);
  const type = query.readUInt16BE(at + 1);
  const name = labels.join('.').toLowerCase();
  const known = names[name];
  const turn = askedNames.filter((asked) => asked === name).length;
  const current = known?.[Math.min(turn, known.length - 1)] ?? [];
  if (type === types.a) askedNames.push(name);
  const records = current.flatMap((address) => {
    if (type === types.a && isIPv4(address)) return [record(type, address.split('.').map(Number))];
    if (type === types.aaaa && isIPv6(address)) return [record(type, bytesOf(address))];
    return [];
  });
  const header = Buffer.from(query.subarray(0, headerBytes));
  header.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question, ...records]);
}

/** Of the name that was asked for, to be forgotten at once. */
const record = (type: number, data: readonly number[]): Buffer =>
  Buffer.from([0xc0, headerBytes, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length, ...data]);

function bytesOf(address: string): number[] {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [front, back] = [groups(head), groups(tail)];
  const middle = Array<number>(8 - front.length - back.length).fill(0);
  return [...front, ...middle, ...back].flatMap((group) => [group >> 8, group & 0xff]);
}
