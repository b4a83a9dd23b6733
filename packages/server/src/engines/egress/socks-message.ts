const version = 5;
const connectCommand = 1;
const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;

export interface SocksGreeting {
  readonly length: number;
  readonly withoutPassword: boolean;
}

export interface SocksRequest {
  readonly length: number;
  readonly isConnect: boolean;
  readonly host: string;
  readonly port: number;
}

/** RFC 1928, 3. Null: more has to come. Throws on what it cannot be. */
export function parseGreeting(data: Buffer): SocksGreeting | null {
  if (data.length < 2) return null;
  if (data[0] !== version) throw new Error('not SOCKS 5');
  const length = 2 + (data[1] ?? 0);
  return data.length < length
    ? null
    : { length, withoutPassword: data.subarray(2, length).includes(0) };
}

/** RFC 1928, 4 and 5. Null: more has to come. Throws on what it cannot be. */
export function parseRequest(data: Buffer): SocksRequest | null {
  if (data.length < 5) return null;
  if (data[0] !== version) throw new Error('not SOCKS 5');
  const [start, size] = hostPlace(data);
  const length = start + size + 2;
  if (data.length < length) return null;
  return {
    length,
    isConnect: data[1] === connectCommand,
    host: readHost(data, data.subarray(start, start + size)),
    port: data.readUInt16BE(start + size),
  };
}

function hostPlace(data: Buffer): [start: number, size: number] {
  switch (data[3]) {
    case addressTypes.ipv4:
      return [4, 4];
    case addressTypes.ipv6:
      return [4, 16];
    case addressTypes.name:
      return [5, data[4] ?? 0];
    default:
      throw new Error('no such kind of address');
  }
}

function readHost(data: Buffer, bytes: Buffer): string {
  if (data[3] === addressTypes.ipv4) return bytes.join('.');
  if (data[3] === addressTypes.name) return bytes.toString('latin1');
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return groups.join(':');
}
