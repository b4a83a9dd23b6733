import fc from 'fast-check';
import { expect, it } from 'vitest';
import { networkOf } from './network-of.ts';

const bits = { ipv4: 24, ipv6: 48 };

it.each([
  ['192.0.2.7', '192.0.2.0/24'],
  ['::ffff:192.0.2.7', '192.0.2.0/24'],
  ['::ffff:c000:207', '192.0.2.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:0:0:0:0:0/48'],
  ['2001:db8:1::6', '2001:db8:1:0:0:0:0:0/48'],
  ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:0/48'],
  ['::1', '0:0:0:0:0:0:0:0/48'],
  ['not an address', 'not an address'],
])('puts %s into %s', (address, network) => {
  expect(networkOf(address, bits)).toBe(network);
});

it('gives two IPv4 addresses one network exactly when their leading bits are equal', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const address = fc.tuple(octet, octet, octet, octet);
  const toNumber = (octets: readonly number[]) => octets.reduce((sum, each) => sum * 256 + each, 0);
  fc.assert(
    fc.property(address, address, fc.integer({ min: 0, max: 32 }), (first, second, ipv4) => {
      const size = 2 ** (32 - ipv4);
      const same = Math.floor(toNumber(first) / size) === Math.floor(toNumber(second) / size);
      const of = (octets: readonly number[]) => networkOf(octets.join('.'), { ipv4, ipv6: 48 });
      expect(of(first) === of(second)).toBe(same);
    }),
  );
});
