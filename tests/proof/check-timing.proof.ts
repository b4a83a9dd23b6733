import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp } from '../support/test-app.ts';
import {
  checkOver,
  makeRefusedCredentials,
  type RefusedCredentials,
  timeKinds,
  withEarlyExitCompare,
} from '../support/time-checks.ts';

const folder = temporaryFolder();
const rounds = 100_000;
/** Chance alone passes it once in millions. */
const bound = 5;
let credentials: RefusedCredentials;
let check: (credential: string) => Promise<void>;

beforeAll(async () => {
  const test = await createTestApp(folder);
  credentials = await makeRefusedCredentials(test, 200);
  check = checkOver(test);
});

describe('how long the refusal of a key takes, over a hundred thousand of each kind', () => {
  it('does not tell whether it is unknown, nearly right, expired or revoked', async () => {
    const found = await timeKinds(credentials.kinds, check, rounds);
    expect(found).toHaveLength(6);
    expect(found.filter(({ t }) => t >= bound)).toEqual([]);
  }, 300_000);

  it('would tell, if texts were compared until the first difference', async () => {
    const some = 4;
    const planted = withEarlyExitCompare(credentials.living.slice(0, some), check);
    const nearMisses = credentials.kinds['near miss'].slice(0, some);
    const found = await timeKinds(
      { ...credentials.kinds, 'near miss': nearMisses },
      planted,
      rounds,
    );
    const told = found.filter(({ t }) => t >= bound).map(({ pair }) => pair);
    expect(told).toEqual(['unknown / near miss', 'near miss / expired', 'near miss / revoked']);
  }, 300_000);
});
