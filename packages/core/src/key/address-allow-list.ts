import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** IPv4 clients of a dual-stack socket appear as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2). */
const mappedPrefix = '::ffff:';

function plainAddress(address: string): string {
  const tail = address.toLowerCase().startsWith(mappedPrefix)
    ? address.slice(mappedPrefix.length)
    : '';
  return isIPv4(tail) ? tail : address;
}

/** What is wrong with an entry of an allow-list, or null. */
export function allowListProblem(entry: string): string | null {
  const [address = '', bits, rest] = entry.split('/');
  const widest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : null;
  const bitsAreFine =
    bits === undefined || (/^\d{1,3}$/.test(bits) && widest !== null && Number(bits) <= widest);
  const plain = !address.includes('%') && rest === undefined;
  if (widest !== null && bitsAreFine && plain) return null;
  return `"${entry}" is not an IP address or CIDR block, as in 192.0.2.7 or 2001:db8::/32`;
}

/** Whether an address is in a list of addresses and CIDR blocks. Malformed entries match nothing. */
export function addressAllowed(allowList: readonly string[], address: string): boolean {
  const plain = plainAddress(address);
  const family = isIP(plain);
  if (family === 0) return false;
  const list = new BlockList();
  for (const entry of allowList) {
    if (allowListProblem(entry) !== null) continue;
    const [network = '', bits] = entry.split('/');
    const type = isIPv4(network) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(network, type);
    else list.addSubnet(network, Number(bits), type);
  }
  return list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}
