import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let operator: string;
let key: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  test.limits.current = { minute: 100, hour: null, day: null, quota24h: null };
  operator = (await test.issue()).text;
  key = (await test.issue({ namespace: 'team' })).text;
  await test.issue({ namespace: 'other' });
});

describe('plans', () => {
  it('are listed with what each allows', async () => {
    const { body } = await test.api('GET', '/plans', key);
    expect(body.plans).toEqual([
      { name: 'standard', limits: { minute: 100, hour: 1_000, day: 10_000, quota_24h: null } },
      { name: 'small', limits: { minute: 5, hour: 1_000, day: 10_000, quota_24h: 50 } },
    ]);
  });

  it('hold from the next call on, counting what was used before', async () => {
    const before = await test.api('GET', '/me', key);
    expect(before.body.workspace.plan).toBe('standard');
    expect(before.headers.get('x-ratelimit-minute-limit')).toBe('100');
    const workspace = before.body.workspace.slug;
    const changed = await test.api('PUT', `/workspaces/${workspace}/plan`, operator, {
      plan: 'small',
    });
    expect(changed.body).toMatchObject({ slug: 'team', plan: 'small' });
    const after = await test.api('GET', '/me', key);
    expect(after.headers.get('x-ratelimit-minute-remaining')).toBe('2');
    expect(after.headers.get('x-ratelimit-quota-limit')).toBe('50');
    expect(after.headers.get('x-ratelimit-quota-remaining')).toBe('47');
    expect(after.headers.get('ratelimit-policy')).toContain('"quota24h";q=50;w=86400');
    expect(after.body.limits.at(-1)).toMatchObject({ name: 'quota_24h', remaining: 47 });
    for (const form of ['id', 'uuid']) {
      const path = `/workspaces/${before.body.workspace[form]}/plan`;
      const again = await test.api('PUT', path, operator, { plan: 'standard' });
      expect(again.body.plan).toBe('standard');
    }
    const { body } = await test.api('GET', '/audit?action=workspace.plan', operator);
    expect(body.entries.at(-1)).toMatchObject({
      target: `workspace:${before.body.workspace.id}`,
      outcome: 'done',
      details: { slug: 'team', plan: 'small', before: 'standard' },
    });
  });

  it('are changed by no key of a workspace, not its own either', async () => {
    const answer = await test.api('PUT', '/workspaces/team/plan', key, { plan: 'small' });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-error-code')).toBe('access_denied');
  });

  it('must be there, and so must the workspace', async () => {
    const unknown = await test.api('PUT', '/workspaces/team/plan', operator, { plan: 'huge' });
    expect(unknown.status).toBe(400);
    expect(unknown.body.detail).toContain('standard, small');
    const nowhere = await test.api('PUT', '/workspaces/nowhere/plan', operator, { plan: 'small' });
    expect(nowhere.status).toBe(404);
    const header = { 'x-workspace-id': 'other' };
    const two = await test.api('PUT', '/workspaces/team/plan', operator, { plan: 'small' }, header);
    expect(two.headers.get('x-error-code')).toBe('tenant_conflict');
  });
});
