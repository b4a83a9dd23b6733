import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EgressPolicy } from '../port/engine-egress.ts';
import { decideEgress, type MachineEgressRules } from './decide-egress.ts';

const rules: MachineEgressRules = {
  allowedPrivateRanges: [],
  refusedPorts: [25],
  ownAddresses: ['151.101.1.1', '2a04:4e42::1'],
};
const publicAddress = '93.184.215.14';

function allows(
  policy: EgressPolicy,
  host: string,
  {
    address = publicAddress,
    port = 443,
    own = rules,
  }: {
    address?: string | null;
    port?: number;
    own?: MachineEgressRules;
  } = {},
): boolean {
  return decideEgress(policy, own, { host, port, address }).allowed;
}

const restricted = (...allow: string[]): EgressPolicy => ({ mode: 'restricted', allow });

describe('a restricted policy', () => {
  it.each([
    ['example.com', 'example.com', true],
    ['example.com', 'www.example.com', false],
    ['example.com', 'badexample.com', false],
    ['*.example.com', 'www.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*.example.com', 'example.com.attacker.net', false],
    ['93.184.0.0/16', '93.184.215.14', true],
    ['93.184.0.0/16', '93.185.0.1', false],
    ['2606:4700::/32', '2606:4700::1111', true],
    ['2606:4700::/32', '2606:4701::1', false],
    ['93.184.215.14', 'example.com', false],
  ])('with %s, and %s: %s', (entry, host, allowed) => {
    const address =
      /^[0-9a-f.:]+$/.test(host) && host.includes('6') && host.includes(':') ? host : publicAddress;
    expect(allows(restricted(entry), host, { address })).toBe(allowed);
  });

  it('refuses a name that it does not hold before it is resolved', () => {
    expect(
      allows(restricted('example.com', '0.0.0.0/0'), 'data.attacker.net', { address: null }),
    ).toBe(false);
    expect(allows(restricted('example.com'), 'example.com', { address: null })).toBe(true);
  });
});

/** Addresses that lead inside, and those that hide such a one. */
const inside = fc.oneof(
  fc.ipV4().map((address) => address.replace(/^\d+/, '10')),
  fc.ipV4().map((address) => address.replace(/^\d+/, '127')),
  fc.ipV4().map((address) => address.replace(/^\d+\.\d+/, '192.168')),
  fc.ipV4().map((address) => address.replace(/^\d+\.\d+/, '169.254')),
  fc.ipV4().map((address) => `::ffff:${address}`),
  fc.ipV4().map((address) => `64:ff9b::${address}`),
  fc.nat(0xffff).map((part) => `fd00:ec2::${part.toString(16)}`),
  fc.nat(0xffff).map((part) => `fe80::${part.toString(16)}`),
  fc.nat(0xffff).map((part) => `2002:7f00:${part.toString(16)}::1`),
  fc.constantFrom(
    '0.0.0.0',
    '::',
    '::1',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '169.254.169.254',
  ),
);
const anyPolicy = fc.constantFrom<EgressPolicy>(
  { mode: 'open' },
  { mode: 'deny_all' },
  restricted('0.0.0.0/0', '::/0', 'inside.example'),
);

describe('every policy', () => {
  it('refuses addresses that are not public, by number and behind a name', () => {
    fc.assert(
      fc.property(anyPolicy, inside, (policy, address) => {
        expect(allows(policy, address, { address })).toBe(false);
        expect(allows(policy, 'inside.example', { address })).toBe(false);
      }),
    );
  });

  it('refuses the addresses of the server itself, unless the operator opened them', () => {
    fc.assert(
      fc.property(
        anyPolicy,
        fc.constantFrom('151.101.1.1', '2a04:4e42:0::1'),
        (policy, address) => {
          expect(allows(policy, address, { address })).toBe(false);
        },
      ),
    );
    const own = { ...rules, allowedPrivateRanges: ['151.101.1.1'] };
    expect(allows({ mode: 'open' }, 'me', { address: '151.101.1.1', own })).toBe(true);
  });

  it('refuses the ports that the operator closed, and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), (port) => {
        expect(allows({ mode: 'open' }, 'example.com', { port })).toBe(port !== 25);
      }),
    );
  });

  it('reaches private ranges that the operator opened, as far as it allows their host', () => {
    const ranges = ['10.0.0.0/8', 'fd00::/16'];
    const own = { ...rules, allowedPrivateRanges: ranges };
    expect(allows({ mode: 'open' }, '10.1.2.3', { address: '10.1.2.3', own })).toBe(true);
    expect(allows({ mode: 'open' }, 'lab', { address: 'fd00::1', own })).toBe(true);
    expect(allows({ mode: 'open' }, 'lab', { address: '192.168.0.1', own })).toBe(false);
    expect(allows(restricted('10.1.0.0/16'), '10.2.0.1', { address: '10.2.0.1', own })).toBe(false);
    expect(allows({ mode: 'deny_all' }, '10.1.2.3', { address: '10.1.2.3', own })).toBe(false);
  });
});

it('says in one sentence what it refuses', () => {
  const refuse = (policy: EgressPolicy, address: string | null) =>
    decideEgress(policy, rules, { host: 'a.example', port: 443, address });
  expect(refuse({ mode: 'deny_all' }, null)).toHaveProperty('reason', expect.stringMatching(/\.$/));
  expect(refuse(restricted(), null)).toHaveProperty('reason', expect.stringContaining('a.example'));
  expect(refuse({ mode: 'open' }, '10.0.0.1')).toHaveProperty(
    'reason',
    expect.stringContaining('public Internet'),
  );
});
