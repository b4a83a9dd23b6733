import { expect, it } from 'vitest';
import { outboundUrlProblem, resolveOutbound } from './outbound-target.ts';

const words = {
  what: 'webhook',
  example: 'https://hooks.example.com/sandgate',
  setting: 'webhooks.allowedPrivateHosts',
};
const nothingAllowed = { ...words, allowedPrivateHosts: [] };

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
  const found = outboundUrlProblem(url, nothingAllowed);
  if (problem === null) expect(found).toBeNull();
  else expect(found).toContain(problem);
});

it('takes a private host and plain HTTP exactly where the operator allowed that host', () => {
  const policy = { ...words, allowedPrivateHosts: ['hooks.internal', '10.0.0.5', '::1'] };
  for (const host of ['hooks.internal', 'HOOKS.internal.', '10.0.0.5', '[::1]']) {
    expect(outboundUrlProblem(`http://${host}:8080/`, policy)).toBeNull();
  }
  expect(outboundUrlProblem('http://a.hooks.internal/', policy)).not.toBeNull();
  expect(outboundUrlProblem('https://10.0.0.6/', policy)).not.toBeNull();
});

it.each([
  [['127.0.0.1']],
  [['1.1.1.1', '10.0.0.1']],
  [['1.1.1.1', '::1']],
  [['169.254.169.254']],
  [[]],
])('refuses a name that resolves to %s', async (addresses) => {
  const url = new URL('https://hooks.example.com/');
  await expect(resolveOutbound(url, nothingAllowed, async () => addresses)).rejects.toMatchObject({
    name: 'OutboundRefused',
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
  expect(await resolveOutbound(url, nothingAllowed, resolve)).toEqual([
    { address: '1.1.1.1', family: 4 },
  ]);
  expect(asked).toEqual(['hooks.example.com']);
});
