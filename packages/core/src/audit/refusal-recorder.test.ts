import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from './audit-log.ts';
import { createRefusalRecorder, type Refusal } from './refusal-recorder.ts';

/** A clock whose timers go off as it is moved. */
class ManualTime {
  currentMs = 1_800_000_000_000;
  #timers: { dueMs: number; run: () => void }[] = [];
  nowMs = (): number => this.currentMs;

  after = (delayMs: number, run: () => void): (() => void) => {
    const timer = { dueMs: this.currentMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  };

  get waiting(): number {
    return this.#timers.length;
  }

  async advance(byMs: number): Promise<void> {
    const endMs = this.currentMs + byMs;
    for (;;) {
      const next = this.#timers.toSorted((left, right) => left.dueMs - right.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.currentMs = next.dueMs;
      next.run();
      // What the timer started is done when the promises it made have settled.
      await new Promise(setImmediate);
    }
    this.currentMs = endMs;
  }
}

let time: ManualTime;
let written: (readonly AuditRecord[])[];
let failing: boolean;
let errors: unknown[];

beforeEach(() => {
  time = new ManualTime();
  written = [];
  failing = false;
  errors = [];
});

const recorder = () =>
  createRefusalRecorder({
    auditLog: {
      async recordAll(records) {
        if (failing) throw new Error('locked');
        if (records.length > 0) written.push(records);
      },
    },
    clock: time,
    timers: time,
    onError: (error) => errors.push(error),
  });

const stranger = (address: string, code: Refusal['code'] = 'credential_invalid'): Refusal => ({
  actor: { kind: 'stranger' },
  address,
  requestId: 'r',
  code,
  endpoint: '/api/v1/rpc',
});
const keyed: Refusal = { ...stranger('192.0.2.9'), actor: { kind: 'key', keyNumber: 3 } };

describe('a refusal recorder', () => {
  it('records a stranger’s first refusal at once, and the others of the minute as a count', async () => {
    const { refuse } = recorder();
    for (let index = 0; index < 10_000; index += 1) refuse(stranger('192.0.2.1'));
    await time.advance(50);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject([
      {
        action: 'access.refused',
        outcome: 'refused',
        address: '192.0.2.1',
        target: '/api/v1/rpc',
        details: { code: 'credential_invalid' },
      },
    ]);
    await time.advance(60_000);
    expect(written).toHaveLength(2);
    expect(written[1]).toMatchObject([
      { address: '192.0.2.1', details: { further: 9_999, fromMs: 1_800_000_000_000 } },
    ]);
    expect(time.waiting).toBe(0);
  });

  it('takes an IPv6 /64 for one stranger, and each IPv4 address for its own', async () => {
    const { refuse } = recorder();
    refuse(stranger('2001:db8::1'));
    refuse(stranger('2001:db8::2'));
    refuse(stranger('192.0.2.1'));
    refuse(stranger('192.0.2.2'));
    await time.advance(50);
    expect(written.flat().map(({ address }) => address)).toEqual([
      '2001:db8::1',
      '192.0.2.1',
      '192.0.2.2',
    ]);
  });

  it('records every refusal of a known key, many in one transaction', async () => {
    const { refuse } = recorder();
    for (let index = 0; index < 500; index += 1) refuse(keyed);
    await time.advance(50);
    expect(written).toHaveLength(1);
    expect(written[0]).toHaveLength(500);
  });

  it('counts what its queue and its list of strangers cannot hold', async () => {
    const { refuse } = recorder();
    for (let index = 0; index < 2_500; index += 1) refuse(keyed);
    await time.advance(50);
    expect(written[0]).toHaveLength(2_001);
    expect(written[0]?.at(-1)).toMatchObject({ details: { unrecorded: 500 } });
    for (let index = 0; index < 1_200; index += 1) {
      refuse(stranger(`10.0.${index >> 8}.${index & 255}`));
    }
    await time.advance(50);
    expect(written[1]).toHaveLength(1_001);
    expect(written[1]?.at(-1)).toMatchObject({ details: { unrecorded: 200 } });
  });

  it('keeps what the store does not take, and tries again', async () => {
    const { refuse } = recorder();
    failing = true;
    refuse(keyed);
    refuse(stranger('192.0.2.1'));
    await time.advance(500);
    expect(errors).toHaveLength(1);
    failing = false;
    await time.advance(1_000);
    expect(written.flat()).toHaveLength(2);
  });

  it('stores everything when it is closed, and leaves no timer', async () => {
    const { refuse, close } = recorder();
    refuse(stranger('192.0.2.1'));
    refuse(stranger('192.0.2.1', 'key_revoked'));
    await close();
    expect(written.flat().map(({ details }) => details)).toEqual([
      { code: 'credential_invalid' },
      { code: 'key_revoked', further: 1, fromMs: 1_800_000_000_000 },
    ]);
    expect(time.waiting).toBe(0);
  });
});
