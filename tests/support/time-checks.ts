import { crc32 } from 'node:zlib';
import {
  type CheckDependencies,
  checkKey,
  newKeyText,
  noLimits,
  parseKeyText,
  revokeKey,
} from '@sandgate/core';
import { createMemoryCounters } from '../../packages/server/src/counters/memory/memory-counters.ts';
import type { TestApp } from './test-app.ts';
import { welchT } from './welch.ts';

/** Credentials that are all refused alike, some of each kind. */
export interface RefusedCredentials {
  readonly kinds: Readonly<Record<RefusedKind, readonly string[]>>;
  /** Texts of keys that live, from each of which one near miss differs in its last digit. */
  readonly living: readonly string[];
}

const refusedKinds = ['unknown', 'near miss', 'expired', 'revoked'] as const;
export type RefusedKind = (typeof refusedKinds)[number];

/** Another last digit of the secret, and the checksum that belongs to it. */
function nearMissOf(text: string): string {
  const body = text.slice(0, -8);
  const changed = `${body.slice(0, -1)}${body.endsWith('0') ? '1' : '0'}`;
  const near = changed + crc32(changed).toString(16).padStart(8, '0');
  if (parseKeyText(near) === null) throw new Error('A near miss has the form of no key.');
  return near;
}

export async function makeRefusedCredentials(
  test: TestApp,
  count: number,
): Promise<RefusedCredentials> {
  const kinds: Record<RefusedKind, string[]> = {
    unknown: [],
    'near miss': [],
    expired: [],
    revoked: [],
  };
  const living: string[] = [];
  for (let index = 0; index < count; index += 1) {
    kinds.unknown.push(newKeyText('msb_', test.keyDependencies.randomness));
    // As long as that of an expired one, the record of a living key is read as fast.
    const { text } = await test.issue({ namespace: 'timed', expiresInMs: 1_000_000 });
    living.push(text);
    kinds['near miss'].push(nearMissOf(text));
    kinds.expired.push((await test.issue({ namespace: 'timed', expiresInMs: 1 })).text);
    const revoked = await test.issue({ namespace: 'timed' });
    await revokeKey(test.keyDependencies, revoked.key.id);
    kinds.revoked.push(revoked.text);
  }
  test.clock.currentMs += 1;
  return { kinds, living };
}

/** One check over the test's real store, as every door makes it. */
export function checkOver(test: TestApp): (credential: string) => Promise<void> {
  const dependencies: CheckDependencies = {
    ...test.keyDependencies,
    counters: createMemoryCounters(test.storage.usage),
    limitsOf: () => noLimits,
  };
  return async (credential) => {
    const { kind } = await checkKey(dependencies, {
      credential,
      address: '192.0.2.1',
      requestId: 'request',
      workspace: { kind: 'own' },
      scope: null,
    });
    if (kind !== 'refused') throw new Error('A credential was accepted that must be refused.');
  };
}

/**
 * To look at the key that was found takes a tenth of this; to read one from the store takes five
 * times it. The least answer over a socket varies by a hundred times it.
 */
const toleratedNs = 1_000;

/** The slowest tenth is what the machine did meanwhile. */
const kept = 0.9;

/**
 * Welch's t of every two kinds, as to whether they differ by more than is tolerated. Each round takes one credential of every kind, in an order of
 * chance, so that whatever else the machine does meets all kinds alike.
 */
export async function timeKinds(
  kinds: RefusedCredentials['kinds'],
  check: (credential: string) => Promise<void>,
  rounds: number,
): Promise<readonly { readonly pair: string; readonly t: number }[]> {
  const times: Record<RefusedKind, number[]> = {
    unknown: [],
    'near miss': [],
    expired: [],
    revoked: [],
  };
  // The first calls are made while the code is compiled.
  const warmUp = Math.ceil(rounds / 5);
  for (let round = 0; round < rounds + warmUp; round += 1) {
    for (const kind of shuffled(refusedKinds)) {
      const credentials = kinds[kind];
      const credential = credentials[Math.floor(Math.random() * credentials.length)] ?? '';
      const started = process.hrtime.bigint();
      await check(credential);
      const tookNs = Number(process.hrtime.bigint() - started);
      if (round >= warmUp) times[kind].push(tookNs);
    }
  }
  const all = Object.values(times)
    .flat()
    .toSorted((a, b) => a - b);
  const slowestNs = all[Math.floor(all.length * kept)] ?? 0;
  const usual = (kind: RefusedKind): readonly number[] =>
    times[kind].filter((time) => time <= slowestNs);
  return refusedKinds.flatMap((first, index) =>
    refusedKinds.slice(index + 1).map((second) => ({
      pair: `${first} / ${second}`,
      t: welchT(usual(first), usual(second), toleratedNs),
    })),
  );
}

function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    const [a, b] = [order[last], order[other]];
    if (a === undefined || b === undefined) continue;
    order[last] = b;
    order[other] = a;
  }
  return order;
}

/** The mistake to be caught: texts compared bit by bit, until the first difference. */
export function withEarlyExitCompare(
  living: readonly string[],
  check: (credential: string) => Promise<void>,
): (credential: string) => Promise<void> {
  const stored = living.map((text) => Buffer.from(text));
  return async (credential) => {
    const presented = Buffer.from(credential);
    const known = stored.some((text) => {
      for (let bit = 0; bit < text.length * 8; bit += 1) {
        if (!bitOf(text, bit).equals(bitOf(presented, bit))) return false;
      }
      return true;
    });
    if (known) throw new Error('A living key is not to be presented here.');
    await check(credential);
  };
}

const bitOf = (text: Buffer, bit: number): Buffer =>
  Buffer.from([(text[bit >> 3] ?? 0) & (1 << (bit & 7))]);
