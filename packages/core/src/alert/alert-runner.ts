import { networkOf } from '../network/network-of.ts';
import type { Timers } from '../port/timers.ts';
import { repeatWork } from '../time/repeat-work.ts';
import { standardAlertSettings } from './alert-settings.ts';
import { type EvaluationDependencies, evaluateKey } from './evaluate-key.ts';
import { raiseAlert } from './raise-alert.ts';

export interface AlertRunnerDependencies extends EvaluationDependencies {
  readonly timers: Timers;
  readonly onError: (error: unknown) => void;
}

export interface AlertRunner {
  /** Takes note of an accepted call. Never waits, and costs no more than a look into a set. */
  observeAddress(keyNumber: number, address: string): void;
  /** One round of bounded work; the rest waits for the next one. */
  tick(): Promise<void>;
  /** Ticks every half a minute until `close`. */
  start(): void;
  /** Resolves when no round is under way. */
  close(): Promise<void>;
}

const tickMs = 30_000;
/** A whole sweep over a million keys takes a day at most: idle and expiring keys have that time. */
const sweptKeysPerTick = 400;
const evaluatedKeysPerTick = 200;
const notedKeysPerTick = 200;
const maxActiveKeys = 100_000;
const maxKnownNetworks = 200_000;
const maxKnownAddresses = 10_000;
const maxNetworksOfKey = 64;
const networkBits = { ipv4: 24, ipv6: 48 };

/** Looks at keys in the background: those that are used, those with an alert, and all in turn. */
export function createAlertRunner(dependencies: AlertRunnerDependencies): AlertRunner {
  const { storage, clock, timers, onError } = dependencies;
  /** Keys that were used since they were last looked at. */
  const active = new Set<number>();
  /** Networks that need no second look, as `key/network`. */
  let known = new Set<string>();
  const unseen = new Map<number, Set<string>>();
  /** Of addresses that were seen lately: to find one out costs more than all else here. */
  const networks = new Map<string, string>();
  let sweptTo = 0;
  let episodesTo = 0;

  const networkOfAddress = (address: string): string => {
    const remembered = networks.get(address);
    if (remembered !== undefined) return remembered;
    if (networks.size >= maxKnownAddresses) networks.clear();
    const network = networkOf(address, networkBits);
    networks.set(address, network);
    return network;
  };

  /** Lets requests go on between two keys: the store answers in the calling thread. */
  const yieldTurn = (): Promise<void> =>
    new Promise((resolve) => {
      timers.after(0, resolve);
    });

  const inTurns = async <T>(items: Iterable<T>, work: (item: T) => Promise<void>) => {
    for (const item of items) {
      if (rounds.isClosed) return;
      await work(item).catch(onError);
      await yieldTurn();
    }
  };

  const noteUnseen = async ([keyNumber, networks]: readonly [number, Set<string>]) => {
    unseen.delete(keyNumber);
    try {
      await noteNetworks(keyNumber, networks);
    } catch (error) {
      unseen.set(keyNumber, new Set([...networks, ...(unseen.get(keyNumber) ?? [])]));
      throw error;
    }
  };

  const noteNetworks = async (keyNumber: number, networks: ReadonlySet<string>) => {
    const key = await storage.keys.findByNumber(keyNumber);
    if (key === null || key.revokedAtMs !== null) return;
    const { added, knewAny } = await storage.alerts.noteNetworks(keyNumber, [...networks], {
      atMs: clock.nowMs(),
      most: maxNetworksOfKey,
    });
    // Where a key is used from first is new to nobody.
    const unusual = knewAny ? added : added.slice(1);
    const settings = (await storage.alerts.settings(key.workspaceId)) ?? standardAlertSettings;
    if (unusual.length === 0 || settings.disabledTypes.includes('new_network')) return;
    const shown = unusual.slice(0, 5).join(', ');
    const more = unusual.length > 5 ? ` and ${unusual.length - 5} more` : '';
    await raiseAlert(
      dependencies,
      key,
      {
        type: 'new_network',
        level: 'warning',
        message: `Used from ${shown}${more} for the first time`,
        value: unusual.length,
        threshold: 0,
      },
      settings.webhook,
    );
  };

  const nextActive = (): readonly number[] => {
    const keys = [...active].slice(0, evaluatedKeysPerTick);
    for (const keyNumber of keys) active.delete(keyNumber);
    return keys;
  };

  const nextSwept = async (): Promise<readonly number[]> => {
    const { keys } = await storage.keys.page(
      { nowMs: clock.nowMs() },
      { limit: sweptKeysPerTick, afterNumber: sweptTo },
    );
    sweptTo = keys.length < sweptKeysPerTick ? 0 : (keys.at(-1)?.number ?? 0);
    return keys.map(({ number }) => number);
  };

  const nextWithEpisodes = async (): Promise<readonly number[]> => {
    const keys = await storage.alerts.keysWithEpisodes(episodesTo, evaluatedKeysPerTick);
    episodesTo = keys.length < evaluatedKeysPerTick ? 0 : (keys.at(-1) ?? 0);
    return keys;
  };

  const round = async (): Promise<void> => {
    await inTurns([...unseen].slice(0, notedKeysPerTick), noteUnseen);
    const keys = new Set([...nextActive(), ...(await nextWithEpisodes()), ...(await nextSwept())]);
    await inTurns(keys, (keyNumber) => evaluateKey(dependencies, keyNumber));
  };

  const rounds = repeatWork({ timers, everyMs: tickMs, work: round, onError });

  return {
    observeAddress(keyNumber, address) {
      if (active.size < maxActiveKeys) active.add(keyNumber);
      const network = networkOfAddress(address);
      const pair = `${keyNumber}/${network}`;
      if (known.has(pair)) return;
      // Full of networks of long ago: what comes back is looked up once more, and known again.
      if (known.size >= maxKnownNetworks) known = new Set();
      known.add(pair);
      const networks = unseen.get(keyNumber) ?? new Set();
      if (networks.size < maxNetworksOfKey) networks.add(network);
      unseen.set(keyNumber, networks);
    },
    tick: rounds.run,
    start: () => rounds.start(),
    close: rounds.close,
  };
}
