import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AlertRunner,
  type AlertSettingsChanges,
  type AlertType,
  changeAlertSettings,
  createAlertRunner,
  createAuditLog,
  listAlertHistory,
  listAlerts,
  resolveAlert,
  type Storage,
  showAlertSettings,
  showTicket,
  toAlertBody,
  updateAlert,
  type WindowState,
  webhookSecret,
} from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outboundUrlProblem } from './outbound/outbound-target.ts';
import { sampleServerKey, sampleWorkspace, storeKey } from './storage/contract/sample-records.ts';
import { openSqliteStorage } from './storage/sqlite/open-sqlite-storage.ts';
import { webhookPolicy } from './webhook/webhook-policy.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const workspace = sampleWorkspace(1);
const otherWorkspace = sampleWorkspace(2);
const operator = { kind: 'operator' } as const;
const byOperator = { context: { actor: operator } };

let folder: string;
let storage: Storage;
let nowMs: number;
let keyNumber: number;
let windows: readonly WindowState[];
let errors: unknown[];
let runner: AlertRunner;
const clock = { nowMs: () => nowMs };
const randomness = { bytes: (length: number) => new Uint8Array(length).fill(3) };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-alerts-'));
  storage = await openSqliteStorage({ file: join(folder, 'sandgate.db') });
  nowMs = 500_000 * hourMs;
  windows = [];
  errors = [];
  await storage.serverKeys.replace('server key', 1);
  await storage.workspaces.insertIfAbsent(workspace);
  await storage.workspaces.insertIfAbsent(otherWorkspace);
  keyNumber = await newKey(1);
  runner = newRunner();
});
afterEach(async () => {
  await runner.close();
  await storage.close();
  rmSync(folder, { recursive: true });
  expect(errors).toEqual([]);
});

const newRunner = () =>
  createAlertRunner({
    storage,
    usage: storage.usage,
    clock,
    randomness,
    limitsOf: async () => windows,
    timers: {
      after: (_delayMs, run) => {
        setImmediate(run);
        return () => undefined;
      },
    },
    onError: (error) => errors.push(error),
  });

async function newKey(number: number, changes = {}): Promise<number> {
  const key = await storeKey(storage, number, `secret ${number}`, {
    workspaceId: workspace.id,
    createdAtMs: nowMs - 10 * dayMs,
    ...changes,
  });
  return key.number;
}

async function call(count: number, status = 200): Promise<void> {
  await storage.usage.write({
    begun: Array.from({ length: count }, (_, index) => ({
      keyNumber,
      workspaceId: workspace.id,
      requestId: `request ${index}`,
      method: 'GET',
      endpoint: '/api/v1/me',
      status,
      accepted: true,
      errorCode: null,
      durationMs: 1,
      atMs: nowMs,
      sandboxId: null,
    })),
    ended: [],
  });
}

const dependencies = () => ({
  storage,
  clock,
  randomness,
  auditLog: createAuditLog({ audit: storage.audit, clock, serverKey: () => sampleServerKey }),
});
const types = async (): Promise<AlertType[]> =>
  (await listAlerts(dependencies(), workspace)).alerts.map(({ type }) => type);
const tickets = async () => (await storage.tickets.list({}, { limit: 100 })).tickets;

describe('the alert runner', () => {
  it('opens one alert and one ticket for a spike that goes on, and ends both with it', async () => {
    await call(20);
    nowMs += 2 * hourMs;
    await call(150);
    for (let round = 0; round < 5; round += 1) {
      await runner.tick();
      nowMs += 60_000;
    }
    expect(await types()).toEqual(['rate_spike']);
    expect(await tickets()).toHaveLength(1);
    expect((await tickets())[0]).toMatchObject({ status: 'open', workspaceId: workspace.id });

    nowMs += hourMs;
    await runner.tick();
    expect(await types()).toEqual(['rate_spike']);
    nowMs += hourMs;
    await runner.tick();
    expect(await types()).toEqual([]);
    const [ticket] = await tickets();
    expect(ticket).toMatchObject({ status: 'resolved' });
    const shown = await showTicket(dependencies(), workspace, ticket?.number ?? 0);
    expect(shown.comments).toMatchObject([{ author: { kind: 'server' } }]);
  });

  it('finds an error spike, and opens nothing anew for one that was resolved and goes on', async () => {
    await call(300);
    nowMs += 2 * hourMs;
    await call(60, 500);
    await runner.tick();
    const [alert] = (await listAlerts(dependencies(), workspace)).alerts;
    expect(alert).toMatchObject({ type: 'error_spike', value: 1 });
    await resolveAlert(dependencies(), workspace, {
      number: alert?.number ?? 0,
      context: { actor: operator },
    });
    await runner.tick();
    expect(await types()).toEqual([]);
    nowMs += 3 * hourMs;
    await runner.tick();
    await call(60, 500);
    await runner.tick();
    expect(await types()).toEqual(['error_spike']);
    expect((await listAlertHistory(dependencies(), workspace)).alerts).toHaveLength(2);
  });

  it('tells of a network that is new to a key, and not of its first one or one that it knows', async () => {
    runner.observeAddress(keyNumber, '192.0.2.1');
    runner.observeAddress(keyNumber, '192.0.2.200');
    await runner.tick();
    expect(await types()).toEqual([]);

    await runner.close();
    runner = newRunner();
    runner.observeAddress(keyNumber, '192.0.2.7');
    await runner.tick();
    expect(await types()).toEqual([]);
    runner.observeAddress(keyNumber, '2001:db8:1:2::3');
    await runner.tick();
    await runner.tick();
    const [alert] = (await listAlerts(dependencies(), workspace)).alerts;
    expect(alert).toMatchObject({ type: 'new_network', status: 'active' });
    expect(alert?.message).toContain('2001:db8:1:0:0:0:0:0/48');
    await resolveAlert(dependencies(), workspace, {
      number: alert?.number ?? 0,
      context: { actor: operator },
    });
    runner.observeAddress(keyNumber, '198.51.100.1');
    await runner.tick();
    expect(await types()).toEqual(['new_network']);
  });

  it('finds quotas, expiring and idle keys in turn, and ends everything when a key is revoked', async () => {
    windows = [{ name: 'day', limit: 10, widthMs: dayMs, remaining: 0, resetAfterMs: 1 }];
    keyNumber = await newKey(2, {
      createdAtMs: nowMs - 100 * dayMs,
      expiresAtMs: nowMs + dayMs,
    });
    await runner.tick();
    const found = (await listAlerts(dependencies(), workspace, { keyNumber })).alerts;
    expect(found.map(({ type }) => type).toSorted()).toEqual([
      'expiry_near',
      'idle_key',
      'quota_near',
      'quota_reached',
    ]);
    const key = await storage.keys.findByNumber(keyNumber);
    await storage.keys.revoke(key?.id ?? '', nowMs);
    await runner.tick();
    expect((await listAlerts(dependencies(), workspace, { keyNumber })).alerts).toEqual([]);
  });

  it('looks for nothing that a workspace does not want to know', async () => {
    await changeAlertSettings(settingsDependencies(), workspace, {
      disabledTypes: ['error_spike', 'new_network'],
      ...byOperator,
    });
    await call(60, 500);
    runner.observeAddress(keyNumber, '192.0.2.1');
    runner.observeAddress(keyNumber, '198.51.100.1');
    await runner.tick();
    expect(await types()).toEqual([]);
  });
});

const settingsDependencies = () => ({
  ...dependencies(),
  randomness,
  serverKey: () => sampleServerKey,
  webhookProblem: (url: string) =>
    outboundUrlProblem(url, webhookPolicy({ allowedPrivateHosts: [] })),
});

describe('alert settings', () => {
  it('give a webhook’s secret once, and alerts go to it', async () => {
    const changed = await changeAlertSettings(settingsDependencies(), workspace, {
      webhookUrl: 'https://hooks.example.com/',
      thresholds: { errorSpikeMinimumCalls: 10 },
      ...byOperator,
    });
    const { webhook } = changed.settings;
    expect(changed.webhookSecret).toBe(webhookSecret(sampleServerKey, webhook?.id ?? ''));
    expect(changed.thresholds).toMatchObject({ errorSpikeMinimumCalls: 10, idleDays: 90 });
    const again = await changeAlertSettings(settingsDependencies(), workspace, {
      disabledTypes: ['idle_key'],
      ...byOperator,
    });
    expect(again.webhookSecret).toBeNull();
    expect(again.settings.webhook).toEqual(webhook);

    await call(10, 500);
    await runner.tick();
    const [alert] = (await listAlerts(dependencies(), workspace)).alerts;
    const [delivery] = await storage.webhooks.list(workspace.id, 9);
    expect(delivery).toMatchObject({ webhookId: webhook?.id, url: 'https://hooks.example.com/' });
    expect(JSON.parse(delivery?.body ?? '')).toEqual({
      event: 'alert.opened',
      delivery_id: delivery?.id,
      created_at: new Date(nowMs).toISOString(),
      alert: alert === undefined ? null : toAlertBody(alert),
    });

    nowMs += 1_000;
    await resolveAlert(dependencies(), workspace, { number: alert?.number ?? 0, ...byOperator });
    const [told, first] = await storage.webhooks.list(workspace.id, 9);
    expect(first?.id).toBe(delivery?.id);
    expect(JSON.parse(told?.body ?? '')).toMatchObject({
      event: 'alert.resolved',
      alert: { id: alert?.number, status: 'resolved', resolved_by: 'operator' },
    });
    nowMs += 2 * hourMs;
    await runner.tick();
    // Its cause ended: it was resolved already, and nobody is told again.
    expect(await storage.webhooks.list(workspace.id, 9)).toHaveLength(2);
    await call(10, 500);
    await runner.tick();
    nowMs += 2 * hourMs;
    await runner.tick();
    const events = (await storage.webhooks.list(workspace.id, 9)).map(
      ({ body }) => JSON.parse(body).event,
    );
    expect(events.slice(0, 2)).toEqual(['alert.resolved', 'alert.opened']);
  });

  it('say when the server key took the secret with it', async () => {
    const set = { webhookUrl: 'https://hooks.example.com/', ...byOperator };
    await changeAlertSettings(settingsDependencies(), null, set);
    const newKeyHere = { storage, serverKey: () => ({ ...sampleServerKey, version: 2 }) };
    expect(await showAlertSettings(newKeyHere, null)).toMatchObject({ webhookOutdated: true });
    expect(await showAlertSettings(settingsDependencies(), workspace)).toMatchObject({
      webhookOutdated: false,
      settings: { webhook: null },
    });
  });

  it.each<AlertSettingsChanges>([
    { webhookUrl: 'https://169.254.169.254/' },
    { disabledTypes: ['rate_spikes'] },
    { thresholds: { idleDays: 0 } },
    { thresholds: { idleDays: Number.NaN } },
    { thresholds: { constructor: 1 } },
  ])('refuse %j, and stay as they are', async (changes) => {
    await expect(
      changeAlertSettings(settingsDependencies(), workspace, { ...changes, ...byOperator }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await storage.alerts.settings(workspace.id)).toBeNull();
  });
});

it('answers an alert of another workspace as one that is not there', async () => {
  await call(60, 500);
  await runner.tick();
  const [alert] = (await listAlerts(dependencies(), workspace)).alerts;
  const answer = { number: alert?.number ?? 0, context: { actor: operator } };
  for (const status of ['acknowledged', 'resolved']) {
    await expect(
      updateAlert(dependencies(), otherWorkspace, { ...answer, status }),
    ).rejects.toMatchObject({ code: 'not_found' });
  }
  await expect(
    updateAlert(dependencies(), workspace, { ...answer, status: 'active' }),
  ).rejects.toMatchObject({ code: 'invalid_request' });
  expect(
    await updateAlert(dependencies(), null, { ...answer, status: 'acknowledged' }),
  ).toMatchObject({ status: 'acknowledged', acknowledgedBy: operator });
  const { entries } = await storage.audit.list({ action: 'alert.acknowledge' }, { limit: 9 });
  expect(entries.map(({ outcome }) => outcome)).toEqual(['done', 'failed']);
});
