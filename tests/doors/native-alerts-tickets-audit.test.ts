import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let alpha: string;
let alphaNumber: number;
let beta: string;
let operator: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  operator = (await test.issue()).text;
  const { key, text } = await test.issue({ namespace: 'team-alpha' });
  alpha = text;
  alphaNumber = key.number;
  beta = (await test.issue({ namespace: 'team-beta' })).text;
});

const open = async (subject: string, key = alpha) =>
  (await test.api('POST', '/tickets', key, { subject })).body;

describe('tickets', () => {
  it('are opened, shown, commented on and resolved', async () => {
    const made = await test.api('POST', '/tickets', alpha, {
      subject: ' It broke ',
      body: 'Badly',
    });
    expect([made.status, made.body]).toEqual([
      200,
      expect.objectContaining({
        subject: 'It broke',
        body: 'Badly',
        status: 'open',
        alert_id: null,
        opened_by: { kind: 'key', api_key_id: alphaNumber, user_id: null },
        resolved_at: null,
      }),
    ]);
    const path = `/tickets/${made.body.id}`;
    const comment = await test.api('POST', `${path}/comments`, alpha, { text: 'Looking' });
    expect([comment.status, comment.body.text]).toEqual([200, 'Looking']);
    const resolved = await test.api('PUT', path, alpha, { status: 'resolved' });
    expect(resolved.body).toMatchObject({ status: 'resolved', resolved_at: expect.any(String) });
    expect((await test.api('GET', path, alpha)).body).toMatchObject({
      status: 'resolved',
      comments: [{ text: 'Looking', author: { kind: 'key', api_key_id: alphaNumber } }],
    });
  });

  it('are listed newest first, by status and by page', async () => {
    const ids = [(await open('one')).id, (await open('two')).id, (await open('three')).id];
    const { body } = await test.api('GET', '/tickets?status=open&size=2', alpha);
    expect(body.tickets.map(({ id }: { id: number }) => id)).toEqual([ids[2], ids[1]]);
    const next = await test.api(
      'GET',
      `/tickets?status=open&size=2&cursor=${body.next_cursor}`,
      alpha,
    );
    expect(next.body).toMatchObject({ tickets: [{ id: ids[0] }], next_cursor: null });
  });

  it('of another workspace are not there', async () => {
    const { id } = await open('secret');
    for (const number of [id, 999_999, 'x']) {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PUT', '', { status: 'resolved' }],
        ['POST', '/comments', { text: 'hello' }],
      ] as const) {
        const answer = await test.api(method, `/tickets/${number}${path}`, beta, body);
        expect([answer.status, answer.body]).toEqual([404, { detail: 'Ticket not found' }]);
      }
    }
    expect((await test.api('GET', '/tickets', beta)).body.tickets).toEqual([]);
    expect((await test.api('GET', `/tickets/${id}`, operator)).status).toBe(200);
  });

  it.each([
    [{}],
    [{ subject: ' ' }],
    [{ subject: 'x'.repeat(201) }],
    [{ subject: 'a', status: 'resolved' }],
  ])('are refused when they are %j', async (body) => {
    expect((await test.api('POST', '/tickets', alpha, body)).status).toBe(400);
  });
});

describe('GET /api/v1/audit', () => {
  it('shows the entries of the own workspace alone', async () => {
    await open('audited', alpha);
    await open('audited', beta);
    const { body } = await test.api('GET', '/audit?action=ticket.open', beta);
    expect(body.entries).toHaveLength(1);
    expect(body.entries[0]).toMatchObject({
      action: 'ticket.open',
      outcome: 'done',
      target: expect.stringMatching(/^ticket:\d+$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const all = await test.api('GET', '/audit?action=ticket.open', operator);
    expect(all.body.entries.length).toBeGreaterThan(5);
    const byKey = await test.api('GET', `/audit?key=${alphaNumber}&size=1`, alpha);
    expect(byKey.body.next_cursor).toBe(byKey.body.entries[0].sequence);
    expect((await test.api('GET', `/audit?key=${alphaNumber}`, beta)).status).toBe(404);
  });
});

describe('alerts', () => {
  const raise = async (keyNumber: number) => {
    const key = await test.storage.keys.findByNumber(keyNumber);
    const { alert } = await test.storage.alerts.raise({
      keyNumber,
      workspaceId: key?.workspaceId ?? null,
      finding: { type: 'idle_key', level: 'info', message: 'Idle', value: 91, threshold: 90 },
      atMs: test.clock.currentMs,
      ticket: { subject: 'Idle key', body: 'It is idle' },
      delivery: null,
    });
    return alert.number;
  };
  let id: number;

  it('are listed and shown with the documented fields', async () => {
    id = await raise(alphaNumber);
    const { status, body } = await test.api('GET', '/alerts?type=idle_key&status=active', alpha);
    expect(status).toBe(200);
    expect(body.alerts).toEqual([
      expect.objectContaining({
        id,
        type: 'idle_key',
        level: 'info',
        message: 'Idle',
        value: 91,
        threshold: 90,
        api_key_id: alphaNumber,
        user_id: null,
        status: 'active',
        acknowledged_by: null,
        acknowledged_at: null,
        resolved_by: null,
        resolved_at: null,
      }),
    ]);
    const [listed] = body.alerts;
    expect((await test.api('GET', `/alerts/${id}`, alpha)).body).toEqual(listed);
    expect((await test.api('GET', `/tickets/${listed.ticket_id}`, alpha)).body.alert_id).toBe(id);
  });

  it('of another workspace are not there', async () => {
    for (const number of [id, 999_999, 'x']) {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PUT', '', { status: 'resolved' }],
        ['POST', '/acknowledge', undefined],
      ] as const) {
        const answer = await test.api(method, `/alerts/${number}${path}`, beta, body);
        expect([answer.status, answer.body]).toEqual([404, { detail: 'Alert not found' }]);
      }
    }
    expect((await test.api('GET', '/alerts', beta)).body.alerts).toEqual([]);
    expect((await test.api('GET', '/alerts/history', beta)).body.alerts).toEqual([]);
    expect((await test.api('GET', '/alerts', operator)).body.alerts).toHaveLength(1);
  });

  it('are acknowledged, resolved, and kept in the history', async () => {
    const acknowledged = await test.api('POST', `/alerts/${id}/acknowledge`, alpha);
    expect(acknowledged.body).toMatchObject({
      status: 'acknowledged',
      acknowledged_by: { kind: 'key', api_key_id: alphaNumber },
    });
    const resolved = await test.api('PUT', `/alerts/${id}`, alpha, { status: 'resolved' });
    expect(resolved.body.status).toBe('resolved');
    expect((await test.api('GET', '/alerts', alpha)).body.alerts).toEqual([]);
    expect((await test.api('GET', '/alerts/history', alpha)).body.alerts).toHaveLength(1);
    expect((await test.api('PUT', `/alerts/${id}`, alpha, { status: 'active' })).status).toBe(400);
    const { body } = await test.api('GET', '/audit?action=alert.resolve', alpha);
    expect(body.entries).toMatchObject([{ target: `alert:${id}`, outcome: 'done' }]);
  });

  it('have settings of each workspace, with a secret that is shown once', async () => {
    const before = await test.api('GET', '/alerts/settings', alpha);
    expect(before.body).toMatchObject({ disabled_types: [], webhook_url: null, updated_at: null });
    const changed = await test.api('PUT', '/alerts/settings', alpha, {
      disabled_types: ['idle_key'],
      thresholds: { idle_days: 30 },
      webhook_url: 'https://hooks.example.com/x',
    });
    expect(changed.body).toMatchObject({
      disabled_types: ['idle_key'],
      thresholds: { ...before.body.thresholds, idle_days: 30 },
      webhook_url: 'https://hooks.example.com/x',
      webhook_secret: expect.stringMatching(/.{20,}/),
    });
    const after = await test.api('GET', '/alerts/settings', alpha);
    expect(after.text).not.toContain(changed.body.webhook_secret);
    expect((await test.api('GET', '/alerts/settings', beta)).body).toEqual(before.body);
    for (const body of [
      { webhook_url: 'http://localhost/' },
      { disabled_types: ['noise'] },
      { thresholds: { idle_days: 0 } },
      { thresholds: { months: 1 } },
    ]) {
      expect((await test.api('PUT', '/alerts/settings', alpha, body)).status).toBe(400);
    }
  });
});
