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
        opened_by: { kind: 'key', api_key_id: alphaNumber },
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
