import { expect, it } from 'vitest';
import { parseChallenges } from './challenge.ts';

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

it.each([
  [
    'Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull"',
    [
      [
        'bearer',
        { realm: 'https://auth.example/token', service: 'r', scope: 'repository:a/b:pull' },
      ],
    ],
  ],
  ['Basic realm="a, \\"b\\""', [['basic', { realm: 'a, "b"' }]]],
  [
    'Negotiate, Basic realm=x',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'BEARER Realm = "x" , error=invalid_token',
    [['bearer', { realm: 'x', error: 'invalid_token' }]],
  ],
  ['', []],
  ['"no scheme"', []],
  [
    'Bearer realm="without an end',
    [
      ['bearer', {}],
      ['realm', {}],
    ].slice(0, 1),
  ],
])('reads %s', (header, challenges) => {
  expect(read(header)).toEqual(challenges);
});
