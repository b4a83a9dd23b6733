import { describe, expect, it } from 'vitest';
import { type CredentialHeader, readCredential } from './read-credential.ts';

const accepted: readonly CredentialHeader[] = ['proxy-authorization', 'authorization'];
const read = (headers: Partial<Record<CredentialHeader, string | readonly string[]>>) =>
  readCredential((name) => [headers[name] ?? []].flat(), accepted);

describe('the credential of a request', () => {
  it.each([
    [{}, null],
    [{ authorization: 'Bearer abc' }, 'abc'],
    [{ authorization: 'bearer abc' }, 'abc'],
    [{ authorization: 'BEARER   abc' }, 'abc'],
    [{ authorization: 'abc' }, 'abc'],
    [{ authorization: 'Bearer' }, null],
    [{ authorization: '' }, null],
    [{ 'proxy-authorization': 'Bearer abc' }, 'abc'],
    [{ 'proxy-authorization': 'abc', authorization: 'Bearer abc' }, 'abc'],
    [{ 'x-api-key': 'abc' }, null],
  ])('in %j is %j', (headers, credential) => {
    expect(read(headers)).toBe(credential);
  });

  it.each([
    { 'proxy-authorization': 'Bearer bad', authorization: 'Bearer good' },
    { authorization: ['Bearer bad', 'Bearer good'] },
    { authorization: 'Bearer good', 'x-api-key': 'other' },
    { authorization: 'Bearer good', 'x-brimble-key': 'other' },
    { authorization: 'Bearer ', 'proxy-authorization': 'good' },
  ])('is refused when there are two: %j', (headers) => {
    expect(() => read(headers)).toThrow('more than one credential');
  });
});
