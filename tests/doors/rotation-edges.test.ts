import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let manager: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  manager = (await test.issue({ namespace: 'team' })).text;
});

const works = async (text: string): Promise<boolean> => {
  // Refused credentials are budgeted per address and minute, on which nothing here depends.
  const { status } = await test.api('GET', '/verify', text);
  return status === 204;
};

/** One text of a key, as a model has it. */
interface Text {
  readonly text: string;
  untilMs: number;
}

const rotations = fc.array(
  fc.record({ overlapSeconds: fc.nat(20), afterMs: fc.integer({ min: 0, max: 15_000 }) }),
  { minLength: 1, maxLength: 5 },
);

it('each text of a key works until its end to the millisecond, whatever rotations and expiry do', async () => {
  await fc.assert(
    fc.asyncProperty(
      rotations,
      fc.option(fc.integer({ min: 20, max: 60 })),
      async (steps, expirySeconds) => {
        const made = await test.api('POST', '/api-keys', manager, {
          name: 'rotated',
          ...(expirySeconds === null ? {} : { expires_in: `${expirySeconds}s` }),
        });
        const { id, key } = made.body;
        const endMs =
          expirySeconds === null
            ? Number.POSITIVE_INFINITY
            : test.clock.currentMs + expirySeconds * 1_000;
        const texts: Text[] = [{ text: key, untilMs: endMs }];
        for (const { overlapSeconds, afterMs } of steps) {
          test.clock.currentMs += afterMs;
          const nowMs = test.clock.currentMs;
          const { status, body } = await test.api('POST', `/api-keys/${id}/rotate`, manager, {
            overlap: overlapSeconds === 0 ? undefined : `${overlapSeconds}s`,
          });
          expect(status).toBe(200);
          for (const each of texts) {
            each.untilMs = Math.min(each.untilMs, nowMs + overlapSeconds * 1_000);
          }
          texts.push({ text: body.key, untilMs: endMs });
        }
        const edgesMs = texts
          .map(({ untilMs }) => untilMs)
          .filter((untilMs) => Number.isFinite(untilMs) && untilMs > test.clock.currentMs)
          .toSorted((one, other) => one - other);
        for (const edgeMs of new Set(edgesMs)) {
          for (const atMs of [edgeMs - 1, edgeMs]) {
            test.clock.currentMs = Math.max(atMs, test.clock.currentMs);
            for (const { text, untilMs } of texts) {
              expect(await works(text)).toBe(untilMs > test.clock.currentMs);
            }
          }
        }
        expect(await works(key)).toBe((texts[0]?.untilMs ?? 0) > test.clock.currentMs);
      },
    ),
    { numRuns: 20 },
  );
});

it('one of many rotations at once wins, and leaves one text that works', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { text: first, key } = await test.issue({ namespace: 'team' });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        test.api('POST', `/api-keys/${key.number}/rotate`, manager, {}),
      ),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
    const winner = answers.find(({ status }) => status === 200)?.body.key;
    expect([await works(first), await works(winner)]).toEqual([false, true]);
  }
});
