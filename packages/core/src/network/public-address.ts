import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * IPv4 blocks that are not for the public Internet, after the IANA special-purpose registry
 * (https://www.iana.org/assignments/iana-ipv4-special-registry), with multicast and class E.
 */
const specialIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
] as const;

/** All of the public IPv6 Internet is in 2000::/3, and these parts of it are not public. */
const publicIpv6 = '2000::/3';
const specialIpv6 = [
  // Teredo and other protocols, some of which carry an IPv4 address along.
  '2001::/23',
  '2001:db8::/32',
  // 6to4: an IPv4 address of any kind in IPv6 clothes.
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
] as const;

function blockList(blocks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', bits] = block.split('/');
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}

const refusedIpv4 = blockList(specialIpv4, 'ipv4');
const refusedIpv6 = blockList(specialIpv6, 'ipv6');
const acceptedIpv6 = blockList([publicIpv6], 'ipv6');

/**
 * Whether an address is on the public Internet: not private, loopback, link-local (cloud metadata
 * services are there), shared, documentation or multicast. IPv4 in IPv6 in any form is not public.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  if (isIPv4(address)) return !refusedIpv4.check(address, 'ipv4');
  return (
    isIPv6(address) && acceptedIpv6.check(address, 'ipv6') && !refusedIpv6.check(address, 'ipv6')
  );
}
