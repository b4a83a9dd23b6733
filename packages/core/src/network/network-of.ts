import { isIPv4, isIPv6 } from 'node:net';

/**
 * The network that an address is in, as `192.0.2.0/24` or `2001:db8:1:0:0:0:0:0/48`. IPv4 in IPv6
 * (`::ffff:192.0.2.7`) counts as IPv4. What is no address is given back as it is.
 */
export function networkOf(
  address: string,
  bits: { readonly ipv4: number; readonly ipv6: number },
): string {
  const plain = address.split('%', 1)[0] ?? address;
  if (isIPv4(plain)) return networkOfGroups(ipv4Groups(plain), 8, bits.ipv4, '.', 10);
  if (!isIPv6(plain)) return address;
  const groups = ipv6Groups(plain);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!mapped) return networkOfGroups(groups, 16, bits.ipv6, ':', 16);
  const [high = 0, low = 0] = groups.slice(6);
  const ipv4 = [high >> 8, high & 0xff, low >> 8, low & 0xff];
  return networkOfGroups(ipv4, 8, bits.ipv4, '.', 10);
}

const ipv4Groups = (address: string): number[] => address.split('.').map(Number);

/** The eight groups of an IPv6 address (RFC 4291, 2.2). */
function ipv6Groups(address: string): number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const [a = 0, b = 0, c = 0, d = 0] = ipv4Groups(dotted?.[2] ?? '0.0.0.0');
  const tail = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  const whole = dotted === null ? address : `${dotted[1]}${tail}`;
  const [head = '', rest] = whole.split('::');
  const parse = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const front = parse(head);
  const back = parse(rest ?? '');
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function networkOfGroups(
  groups: readonly number[],
  groupBits: number,
  networkBits: number,
  separator: string,
  radix: number,
): string {
  const masked = groups.map((group, index) => {
    const kept = Math.max(0, Math.min(groupBits, networkBits - index * groupBits));
    const hostBits = groupBits - kept;
    return (group >> hostBits) << hostBits;
  });
  return `${masked.map((group) => group.toString(radix)).join(separator)}/${networkBits}`;
}
