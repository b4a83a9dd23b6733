import { expect, it } from 'vitest';
import { isPublicAddress } from './public-address.ts';
import { resolveWebhook, webhookUrlProblem } from './webhook-target.ts';

const nothingAllowed = { allowedPrivateHosts: [] };

it.each([
  '1.1.1.1',
  '93.184.215.14',
  '172.15.255.255',
  '172.32.0.0',
  '2606:4700:4700::1111',
  '2a00:1450:4001:800::200e',
])('takes %s for public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

it.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:1.1.1.1',
  '::ffff:127.0.0.1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '2001:0:7f00:1::',
  '2002:7f00:1::',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'example.com',
  '',
])('does not take "%s" for public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

it.each([
  ['https://hooks.example.com/a?b=c', null],
  ['https://1.1.1.1:8443/', null],
  ['https://[2606:4700:4700::1111]/', null],
  ['http://hooks.example.com/', 'over https'],
  ['ftp://hooks.example.com/', 'https URL'],
  ['hooks.example.com', 'https URL'],
  [`https://hooks.example.com/${'a'.repeat(2_000)}`, 'https URL'],
  ['https://me:secret@hooks.example.com/', 'user name'],
  ['https://127.0.0.1/', 'public Internet'],
  ['https://2130706433/', 'public Internet'],
  ['https://0x7f.1/', 'public Internet'],
  ['https://0177.0.0.1/', 'public Internet'],
  ['https://169.254.169.254/latest/meta-data', 'public Internet'],
  ['https://[::1]/', 'public Internet'],
  ['https://[::ffff:7f00:1]/', 'public Internet'],
  ['https://１２７.0.0.1/', 'public Internet'],
])('judges %s', (url, problem) => {
  const found = webhookUrlProblem(url, nothingAllowed);
  if (problem === null) expect(found).toBeNull();
  else expect(found).toContain(problem);
});

it('takes a private host and plain HTTP exactly where the operator allowed that host', () => {
  const policy = { allowedPrivateHosts: ['hooks.internal', '10.0.0.5', '::1'] };
  for (const host of ['hooks.internal', 'HOOKS.internal.', '10.0.0.5', '[::1]']) {
    expect(webhookUrlProblem(`http://${host}:8080/`, policy)).toBeNull();
  }
  expect(webhookUrlProblem('http://a.hooks.internal/', policy)).not.toBeNull();
  expect(webhookUrlProblem('https://10.0.0.6/', policy)).not.toBeNull();
});

it.each([
  [['127.0.0.1']],
  [['1.1.1.1', '10.0.0.1']],
  [['1.1.1.1', '::1']],
  [['169.254.169.254']],
  [[]],
])('refuses a name that resolves to %s', async (addresses) => {
  const url = new URL('https://hooks.example.com/');
  await expect(resolveWebhook(url, nothingAllowed, async () => addresses)).rejects.toMatchObject({
    name: 'WebhookRefused',
  });
});

it('gives the checked address, asked for once', async () => {
  const asked: string[] = [];
  const answers = [['1.1.1.1'], ['127.0.0.1']];
  const resolve = async (host: string) => {
    asked.push(host);
    return answers.shift() ?? [];
  };
  const url = new URL('https://Hooks.Example.com./');
  expect(await resolveWebhook(url, nothingAllowed, resolve)).toEqual({
    address: '1.1.1.1',
    family: 4,
  });
  expect(asked).toEqual(['hooks.example.com']);
});
