import { afterAll, beforeAll, expect, it } from 'vitest';
import { keptFiles, machineResidue, noResidue, passingRows } from '../support/machine-residue.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { runSoak, type SoakOutcome } from '../support/soak/run-soak.ts';
import { allowSoakNetwork } from '../support/soak/soak-network.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const seed = 4;
const home = temporaryFolder();
let server: ServerProcess;
let outcome: SoakOutcome;

beforeAll(async () => {
  allowSoakNetwork(home);
  server = await startServerProcess({ home });
  outcome = await runSoak(server, { clients: 3, seed, durationMs: 12_000 });
}, 120_000);

afterAll(() => server.stop());

it('does after every operation of several clients what a model of it does, and leaves nothing', async () => {
  expect(outcome.failures).toEqual([]);
  const total = [...outcome.done.values()].reduce((sum, count) => sum + count, 0);
  expect(total).toBeGreaterThan(30);
  await expect
    .poll(
      () => ({
        residue: machineResidue(home, server.process.pid ?? null),
        files: keptFiles(home),
        rows: passingRows(home),
      }),
      { timeout: 20_000, interval: 100 },
    )
    .toEqual({ residue: noResidue, files: [], rows: [] });
});
