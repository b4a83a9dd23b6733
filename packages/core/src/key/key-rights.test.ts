import { describe, expect, it } from 'vitest';
import { intersectRights, type KeyRights, rightsBeyond } from './key-rights.ts';

const all: KeyRights = {
  scopes: ['*'],
  expiresAtMs: null,
  addressAllowList: [],
  limits: {},
  restrictions: {},
};
const unlimited = { minute: null, hour: null, day: null, quota24h: null };
const beyond = (wanted: Partial<KeyRights>, bound: Partial<KeyRights>) =>
  rightsBeyond(
    { ...all, ...wanted, limits: { ...unlimited, ...wanted.limits } },
    { ...all, ...bound, limits: { ...unlimited, ...bound.limits } },
  );

describe('rights that reach beyond others', () => {
  it.each([
    [{ scopes: ['*'] }, { scopes: ['key:read'] }, ['the scopes *']],
    [{ scopes: ['key:read', 'mcp:call'] }, { scopes: ['key:read'] }, ['the scopes mcp:call']],
    [{ expiresAtMs: null }, { expiresAtMs: 5 }, ['a later expiry']],
    [{ expiresAtMs: 6 }, { expiresAtMs: 5 }, ['a later expiry']],
    [{ addressAllowList: [] }, { addressAllowList: ['10.0.0.0/8'] }, ['other addresses']],
    [
      { addressAllowList: ['10.0.0.0/7'] },
      { addressAllowList: ['10.0.0.0/8'] },
      ['other addresses'],
    ],
    [
      { addressAllowList: ['10.1.0.0/16', '11.0.0.1'] },
      { addressAllowList: ['10.0.0.0/8'] },
      ['other addresses'],
    ],
    [{ addressAllowList: ['::/0'] }, { addressAllowList: ['0.0.0.0/0'] }, ['other addresses']],
    [{ limits: { minute: 6 } }, { limits: { minute: 5 } }, ['a higher limit (minute)']],
    [{ limits: { day: null } }, { limits: { day: 5 } }, ['a higher limit (day)']],
    [{}, { restrictions: { templates: ['python'] } }, ['other templates']],
    [
      { restrictions: { templates: ['python', 'node'], maxCpus: 3 } },
      { restrictions: { templates: ['python'], maxCpus: 2 } },
      ['more CPUs', 'other templates'],
    ],
    [
      {},
      { restrictions: { maxSandboxes: 1, maxMemoryMib: 1, maxDiskMib: 1 } },
      ['more sandboxes', 'more memory', 'more disk'],
    ],
    [
      { restrictions: { sandboxId: 'a' } },
      { restrictions: { sandboxId: 'b' } },
      ['another sandbox'],
    ],
    [
      { restrictions: { sandboxNamePrefix: 'j' } },
      { restrictions: { sandboxNamePrefix: 'job-' } },
      ['sandboxes of other names'],
    ],
    [
      { restrictions: { mcpTools: ['github/*'] } },
      { restrictions: { mcpTools: ['github/read_*'] } },
      ['other tools'],
    ],
  ] as const)('%j is more than %j', (wanted, bound, expected) => {
    expect(beyond(wanted, bound)).toEqual(expected);
  });

  it.each([
    [{}, {}],
    [{ scopes: ['key:read'] }, { scopes: ['*'] }],
    [{ expiresAtMs: 5 }, { expiresAtMs: 5 }],
    [{ expiresAtMs: 5 }, { expiresAtMs: null }],
    [
      { addressAllowList: ['10.9.0.0/16', '2001:db8:1::1'] },
      { addressAllowList: ['10.0.0.0/8', '2001:db8::/32'] },
    ],
    [{ addressAllowList: ['10.9.0.0/16'] }, { addressAllowList: [] }],
    [{ limits: { minute: 5 } }, { limits: { minute: 5 } }],
    [
      {
        restrictions: {
          templates: ['node'],
          sandboxId: 'a',
          sandboxNamePrefix: 'job-17',
          maxSandboxes: 1,
          maxCpus: 0.5,
          mcpTools: ['github/read_issue', 'github/read_*_file'],
        },
      },
      {
        restrictions: {
          templates: ['python', 'node'],
          sandboxId: 'a',
          sandboxNamePrefix: 'job-',
          maxSandboxes: 1,
          mcpTools: ['jira/*', 'github/read_*'],
        },
      },
    ],
  ] as const)('%j is within %j', (wanted, bound) => {
    expect(beyond(wanted, bound)).toEqual([]);
  });
});

describe('the rights that two have in common', () => {
  it.each([
    [{ scopes: ['*'] }, { scopes: ['key:read'] }, { scopes: ['key:read'] }],
    [{ scopes: ['key:read', 'mcp:call'] }, { scopes: ['mcp:call'] }, { scopes: ['mcp:call'] }],
    [{ expiresAtMs: 5 }, { expiresAtMs: 9 }, { expiresAtMs: 5 }],
    [{ expiresAtMs: null }, { expiresAtMs: 9 }, { expiresAtMs: 9 }],
    [
      { restrictions: { templates: ['a', 'b'], maxCpus: 2, mcpTools: ['x/*'] } },
      { restrictions: { templates: ['b', 'c'], maxCpus: 1, mcpTools: ['x/read', 'y/*'] } },
      { restrictions: { templates: ['b'], maxCpus: 1, mcpTools: ['x/read'] } },
    ],
    [
      { restrictions: { sandboxId: 'a', sandboxNamePrefix: 'job-' } },
      { restrictions: { sandboxId: 'b', sandboxNamePrefix: 'team-' } },
      { restrictions: { sandboxId: '0'.repeat(24), sandboxNamePrefix: '/' } },
    ],
    [
      { addressAllowList: ['10.0.0.0/8', '192.0.2.7'] },
      { addressAllowList: ['10.1.0.0/16', '192.0.2.0/24'] },
      { addressAllowList: ['10.1.0.0/16', '192.0.2.7'] },
    ],
    [
      { addressAllowList: ['10.0.0.0/8'] },
      { addressAllowList: ['11.0.0.0/8'] },
      // Not empty, which would mean from anywhere.
      { addressAllowList: ['::/128'] },
    ],
    [
      { limits: { minute: 5 } },
      { limits: { minute: 9, hour: 3 } },
      { limits: { minute: 5, hour: 3 } },
    ],
    [{ limits: { minute: null } }, { limits: { minute: 9 } }, { limits: { minute: 9 } }],
  ] as const)('of %j and %j are %j', (one, other, shared) => {
    expect(intersectRights({ ...all, ...one }, { ...all, ...other })).toEqual({
      ...all,
      ...shared,
    });
    expect(intersectRights({ ...all, ...other }, { ...all, ...one })).toEqual({
      ...all,
      ...shared,
    });
  });
});
