import type { Alert, AlertFinding, RaisedAlert } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleWorkspace, storeKey } from './sample-records.ts';

export function describeAlerts(stores: StoresUnderTest): void {
  describe('alerts', () => {
    const workspaceId = sampleWorkspace(1).id;
    const otherWorkspaceId = sampleWorkspace(2).id;
    const operator = { kind: 'operator' } as const;
    const finding: AlertFinding = {
      type: 'rate_spike',
      level: 'warning',
      message: 'many',
      value: 0.5,
      threshold: 0.25,
    };
    let keyNumber: number;
    let otherKeyNumber: number;

    beforeEach(async () => {
      const { storage } = stores;
      await storage.serverKeys.replace('server key', 1);
      await storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await storage.workspaces.insertIfAbsent(sampleWorkspace(2));
      keyNumber = (await storeKey(storage, 1)).number;
      otherKeyNumber = (await storeKey(storage, 2)).number;
    });

    const raised = (changes: Partial<RaisedAlert> = {}): RaisedAlert => ({
      keyNumber,
      workspaceId,
      finding,
      atMs: 100,
      ticket: { subject: 'Unusual', body: 'many' },
      delivery: null,
      ...changes,
    });
    const raise = async (changes: Partial<RaisedAlert> = {}) =>
      await stores.storage.alerts.raise(raised(changes));
    const ticketOf = (alert: Alert) => stores.other.tickets.find(undefined, alert.ticketNumber);

    it('opens an alert with its ticket and delivery, and gives it back whole', async () => {
      const { opened, alert } = await raise({
        delivery: ({ number }) => ({
          id: sampleId(7),
          workspaceId,
          webhookId: sampleId(8),
          serverKeyVersion: 1,
          url: 'https://hooks.example.com/',
          body: JSON.stringify({ number }),
          createdAtMs: 100,
        }),
      });
      expect(opened).toBe(true);
      expect(alert).toEqual({
        ...finding,
        number: alert.number,
        ticketNumber: alert.ticketNumber,
        workspaceId,
        keyNumber,
        status: 'active',
        acknowledgedBy: null,
        acknowledgedAtMs: null,
        resolvedBy: null,
        resolvedAtMs: null,
        endedAtMs: null,
        createdAtMs: 100,
        updatedAtMs: 100,
      });
      expect(await stores.other.alerts.find(workspaceId, alert.number)).toEqual(alert);
      expect(await ticketOf(alert)).toMatchObject({
        alertNumber: alert.number,
        status: 'open',
        workspaceId,
        openedBy: { kind: 'server' },
      });
      expect(await stores.other.webhooks.list(workspaceId, 9)).toMatchObject([
        { id: sampleId(7), body: JSON.stringify({ number: alert.number }) },
      ]);
    });

    it('keeps one alert and one ticket while an episode is on, whoever raises it', async () => {
      const { alert } = await raise();
      const again = await Promise.all([
        raise({ finding: { ...finding, value: 9, message: 'more' }, atMs: 200 }),
        stores.other.alerts.raise(raised({ finding: { ...finding, value: 9 }, atMs: 200 })),
      ]);
      expect(again.map(({ opened }) => opened)).toEqual([false, false]);
      expect(await stores.other.alerts.find(undefined, alert.number)).toMatchObject({
        value: 9,
        createdAtMs: 100,
        updatedAtMs: 200,
      });
      expect(await stores.other.tickets.countByStatus(undefined)).toMatchObject({ open: 1 });
      expect((await raise({ finding: { ...finding, type: 'error_spike' } })).opened).toBe(true);
      expect((await raise({ keyNumber: otherKeyNumber })).opened).toBe(true);
    });

    it('raises a resolved alert again only after its episode has ended', async () => {
      const { alert } = await raise();
      const end = { atMs: 150, ends: false, delivery: null };
      const resolved = await stores.storage.alerts.resolve(
        workspaceId,
        alert.number,
        operator,
        end,
      );
      expect(resolved).toMatchObject({ status: 'resolved', resolvedBy: operator, endedAtMs: null });
      expect(await ticketOf(alert)).toMatchObject({ status: 'resolved', resolvedAtMs: 150 });
      expect(await raise({ atMs: 200 })).toMatchObject({
        opened: false,
        alert: { status: 'resolved', updatedAtMs: 150 },
      });
      const over = { atMs: 300, comment: 'over', delivery: null };
      expect(await stores.other.alerts.endEpisode(keyNumber, 'rate_spike', over)).toBe(true);
      expect(await stores.other.alerts.endEpisode(keyNumber, 'rate_spike', over)).toBe(false);
      expect(await stores.other.alerts.find(undefined, alert.number)).toMatchObject({
        resolvedBy: operator,
        resolvedAtMs: 150,
        endedAtMs: 300,
      });
      expect((await raise({ atMs: 400 })).opened).toBe(true);
    });

    it('resolves an alert whose cause ended, and its ticket unless somebody works on it', async () => {
      const first = (await raise()).alert;
      const second = (await raise({ keyNumber: otherKeyNumber })).alert;
      await stores.storage.tickets.setStatus(undefined, second.ticketNumber, 'in_progress', 110);
      for (const { keyNumber: number } of [first, second]) {
        await stores.storage.alerts.endEpisode(number, 'rate_spike', {
          atMs: 300,
          comment: 'over',
          delivery: ({ number: alertNumber, status }) => ({
            id: sampleId(alertNumber),
            workspaceId,
            webhookId: sampleId(8),
            serverKeyVersion: 1,
            url: 'https://hooks.example.com/',
            body: JSON.stringify({ status }),
            createdAtMs: 300,
          }),
        });
      }
      expect(await stores.other.webhooks.list(undefined, 9)).toMatchObject([
        { id: sampleId(second.number), body: '{"status":"resolved"}' },
        { id: sampleId(first.number), body: '{"status":"resolved"}' },
      ]);
      expect(await stores.other.alerts.find(undefined, first.number)).toMatchObject({
        status: 'resolved',
        resolvedBy: { kind: 'server' },
        resolvedAtMs: 300,
        endedAtMs: 300,
      });
      expect(await ticketOf(first)).toMatchObject({ status: 'resolved' });
      expect(await ticketOf(second)).toMatchObject({ status: 'in_progress' });
      expect(
        await stores.storage.tickets.comments(undefined, second.ticketNumber, { limit: 9 }),
      ).toMatchObject([{ text: 'over', author: { kind: 'server' } }]);
    });

    it('acknowledges once, and leaves what is resolved', async () => {
      const { alerts } = stores.storage;
      const { number } = (await raise()).alert;
      expect(await alerts.acknowledge(workspaceId, number, operator, 150)).toMatchObject({
        status: 'acknowledged',
        acknowledgedBy: operator,
        acknowledgedAtMs: 150,
      });
      const other = { kind: 'key', keyNumber } as const;
      expect(await alerts.acknowledge(undefined, number, other, 160)).toMatchObject({
        acknowledgedBy: operator,
      });
      await alerts.resolve(undefined, number, other, { atMs: 170, ends: true, delivery: null });
      expect(await alerts.acknowledge(undefined, number, other, 180)).toMatchObject({
        status: 'resolved',
        acknowledgedAtMs: 150,
        endedAtMs: 170,
      });
    });

    it('shows nothing of a workspace to another one', async () => {
      const { alerts } = stores.storage;
      const { number } = (await raise()).alert;
      const end = { atMs: 1, ends: true, delivery: null };
      expect(await alerts.find(otherWorkspaceId, number)).toBeNull();
      expect(await alerts.acknowledge(otherWorkspaceId, number, operator, 1)).toBeNull();
      expect(await alerts.resolve(otherWorkspaceId, number, operator, end)).toBeNull();
      expect((await alerts.list({ workspaceId: otherWorkspaceId }, { limit: 9 })).alerts).toEqual(
        [],
      );
      expect(await alerts.find(undefined, number)).toMatchObject({ status: 'active' });
    });

    it('lists newest first, in pages, by what is asked for, and the keys with an episode', async () => {
      const { alerts } = stores.storage;
      const first = (await raise()).alert.number;
      const second = (
        await raise({ finding: { ...finding, type: 'idle_key', level: 'info' }, atMs: 200 })
      ).alert.number;
      const third = (await raise({ keyNumber: otherKeyNumber, workspaceId: null, atMs: 300 })).alert
        .number;
      await alerts.acknowledge(undefined, first, operator, 400);
      const listed = async (filter: Parameters<typeof alerts.list>[0]) =>
        (await alerts.list(filter, { limit: 9 })).alerts.map(({ number }) => number);
      expect(await listed({})).toEqual([third, second, first]);
      expect(await listed({ workspaceId })).toEqual([second, first]);
      expect(await listed({ keyNumber: otherKeyNumber })).toEqual([third]);
      expect(await listed({ type: 'rate_spike' })).toEqual([third, first]);
      expect(await listed({ level: 'info' })).toEqual([second]);
      expect(await listed({ statuses: ['acknowledged', 'resolved'] })).toEqual([first]);
      expect(await listed({ fromMs: 200, toMs: 300 })).toEqual([second]);
      const page = await alerts.list({}, { limit: 2 });
      expect(page.nextBeforeNumber).toBe(second);
      const rest = await alerts.list({}, { limit: 2, beforeNumber: second });
      expect(rest.alerts.map(({ number }) => number)).toEqual([first]);

      expect(await alerts.keysWithEpisodes(0, 9)).toEqual([keyNumber, otherKeyNumber]);
      expect(await alerts.keysWithEpisodes(keyNumber, 9)).toEqual([otherKeyNumber]);
      const episodes = await alerts.episodesOf(keyNumber);
      expect(episodes.map(({ type }) => type)).toEqual(['idle_key', 'rate_spike']);
    });

    it('keeps settings for each workspace, and for the keys of all of them', async () => {
      const settings = {
        disabledTypes: ['idle_key'],
        thresholds: { idleDays: 30 },
        webhook: { id: sampleId(1), url: 'https://hooks.example.com/', serverKeyVersion: 1 },
        updatedAtMs: 5,
      } as const;
      expect(await stores.storage.alerts.settings(workspaceId)).toBeNull();
      await stores.storage.alerts.putSettings(workspaceId, settings);
      await stores.storage.alerts.putSettings(null, { ...settings, webhook: null });
      expect(await stores.other.alerts.settings(workspaceId)).toEqual(settings);
      expect(await stores.other.alerts.settings(null)).toEqual({ ...settings, webhook: null });
      expect(await stores.other.alerts.settings(otherWorkspaceId)).toBeNull();
    });

    it('tells new networks of a key from known ones, and forgets the longest unseen', async () => {
      const note = (atMs: number, ...networks: string[]) =>
        stores.storage.alerts.noteNetworks(keyNumber, networks, { atMs, most: 3 });
      expect(await note(1, 'a', 'b')).toEqual({ added: ['a', 'b'], knewAny: false });
      expect(await note(2, 'b', 'c')).toEqual({ added: ['c'], knewAny: true });
      expect(await note(3, 'd')).toEqual({ added: ['d'], knewAny: true });
      expect(await note(4, 'a')).toEqual({ added: ['a'], knewAny: true });
      expect(
        await stores.other.alerts.noteNetworks(otherKeyNumber, ['a'], { atMs: 5, most: 3 }),
      ).toEqual({ added: ['a'], knewAny: false });
    });
  });
}
