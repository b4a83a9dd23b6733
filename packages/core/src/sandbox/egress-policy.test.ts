import { expect, it } from 'vitest';
import { buildEgressPolicy } from './egress-policy.ts';

const restricted = (allow: readonly string[]) => buildEgressPolicy({ mode: 'restricted', allow });

it('takes names, patterns, addresses and blocks, and compares names without case', () => {
  const allow = ['Example.COM.', '*.pypi.org', 'xn--bcher-kva.example', '_dmarc.example.com'];
  const addresses = ['1.1.1.1', '8.8.0.0/16', '2606:4700::1111', '2606:4700::/32'];
  expect(restricted([...allow, ...addresses])).toEqual({
    mode: 'restricted',
    allow: ['example.com', ...allow.slice(1), ...addresses],
  });
});

it('takes the modes without a list, and a list that is empty', () => {
  expect(buildEgressPolicy({ mode: 'open' })).toEqual({ mode: 'open' });
  expect(buildEgressPolicy({ mode: 'deny_all' })).toEqual({ mode: 'deny_all' });
  expect(restricted([])).toEqual({ mode: 'restricted', allow: [] });
  expect(buildEgressPolicy({ mode: 'restricted' })).toEqual({ mode: 'restricted', allow: [] });
});

it.each([
  ...[
    '*',
    '*.',
    '*example.com',
    'a.*.com',
    'example.com:443',
    'https://example.com',
    'a b',
    'bü.de',
  ],
  ...['1.2.3', '127.1', '0x7f000001', '1.2.3.4/33', '::1/129', 'fe80::1%eth0', '-a.com', 'a..b'],
  ...['1.2.3.4/8/8', `${'a'.repeat(64)}.com`, ' example.com', '.', '/', '10.0.0.0/'],
])('refuses the entry "%s"', (entry) => {
  expect(() => restricted([entry])).toThrow(expect.objectContaining({ code: 'egress_invalid' }));
});

it('names every mistake at once', () => {
  const allow = ['*', '', 'a'.repeat(254), ...Array<string>(50).fill('example.com')];
  const mistakes = /"\*" is no host name.*has 0 characters.*has 254 characters.*has 53 entries/;
  expect(() => restricted(allow)).toThrow(mistakes);
});

it.each([
  [{ mode: 'closed' }, /one of open, restricted, deny_all/],
  [{ mode: 'open', allow: [] }, /not with open/],
  [{ mode: 'deny_all', allow: ['example.com'] }, /not with deny_all/],
])('refuses %j', (request, message) => {
  expect(() => buildEgressPolicy(request)).toThrow(message);
});
