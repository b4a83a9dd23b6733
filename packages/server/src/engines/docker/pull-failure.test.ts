import { expect, it } from 'vitest';
import { explainPull, PullRefused } from './pull-failure.ts';

it.each([
  [
    'Get "http://127.0.0.1:5000/v2/a/manifests/1": no basic auth credentials',
    'registry_unauthorized',
  ],
  ['Get "https://r.example/v2/": unauthorized: authentication required', 'registry_unauthorized'],
  [
    "pull access denied for a, repository does not exist or may require 'docker login': denied",
    'image_not_found',
  ],
  ['manifest for r.example/a:2 not found: manifest unknown', 'image_not_found'],
  ['no matching manifest for linux/s390x in the manifest list entries', 'platform_not_offered'],
  ['write /var/lib/docker/tmp/x: no space left on device', 'disk_full'],
  ['filesystem layer verification failed for digest sha256:00', 'digest_mismatch'],
  ['Get "https://r.example/v2/": dial tcp: lookup r.example: no such host', 'registry_unreachable'],
  [
    'Get "https://r.example/v2/": x509: certificate signed by unknown authority',
    'registry_unreachable',
  ],
  ['something that no version has said yet', 'registry_unreachable'],
])('takes "%s" for %s', (text, code) => {
  for (const error of [
    new PullRefused(text),
    Object.assign(new Error(text), { statusCode: 500 }),
  ]) {
    expect(explainPull(error, undefined)).toMatchObject({ code, detail: text });
  }
});

it('tells a daemon that is gone from a registry, and gives a caller who leaves its own reason', () => {
  const gone = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  expect(explainPull(gone, undefined)).toMatchObject({ code: 'engine_unavailable' });
  expect(explainPull(gone, AbortSignal.abort('left'))).toBe('left');
});
