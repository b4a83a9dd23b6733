import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendantsOf, residentMegabytes } from '../../bench/process-memory.ts';
import { collectedHeapMegabytes, withInspector } from '../support/collected-heap.ts';
import { keptFiles, machineResidue, noResidue, passingRows } from '../support/machine-residue.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { operationNames, runSoak, type SoakOutcome } from '../support/soak/run-soak.ts';
import { allowSoakNetwork } from '../support/soak/soak-network.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** SANDGATE_SOAK_MINUTES shortens it, and SANDGATE_SOAK_SEED does the same again. */
const minutes = Number(process.env.SANDGATE_SOAK_MINUTES ?? 30);
const seed = Number(process.env.SANDGATE_SOAK_SEED ?? Date.now() % 1_000_000);
const clients = 4;
const warmUpMs = 30_000;
/** Compiled code, and histories with a bound. What leaks 300 bytes an operation is more in 30 minutes. */
const allowedHeapMegabytes = 10;
/**
 * What the C library keeps of what buffers took at most, which wait for a collection too: it grows in
 * steps, the last of them after 25 minutes, to 70 MB. A leak beside the heap of 2 KB an operation is more.
 */
const allowedMegabytes = 100;
const allowedDescriptors = 40;
/** What the engine has in stock for later starts. */
const allowedProcesses = 20;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const home = temporaryFolder();
let server: ServerProcess;
let outcome: SoakOutcome;
const pid = (): number => server.process.pid ?? 0;
const descriptors = (): number => readdirSync(`/proc/${pid()}/fd`).length;
const before = { heap: 0, resident: 0, descriptors: 0, processes: 0 };

beforeAll(
  async () => {
    say(`SANDGATE_SOAK_SEED=${seed}`);
    allowSoakNetwork(home);
    server = await startServerProcess({ home, environment: withInspector });
    const warmUp = await runSoak(server, { clients, seed: seed + 1_000, durationMs: warmUpMs });
    expect(warmUp.failures).toEqual([]);
    before.heap = await collectedHeapMegabytes(server);
    before.resident = residentMegabytes(pid());
    before.descriptors = descriptors();
    before.processes = descendantsOf(pid()).length;
    outcome = await runSoak(server, { clients, seed, durationMs: minutes * 60_000 });
  },
  (minutes + 5) * 60_000,
);

afterAll(() => server.stop());

describe(`a server that ${clients} clients use for ${minutes} minutes, seed ${seed}`, () => {
  it('does after every operation what a model of it does', () => {
    expect(outcome.failures).toEqual([]);
  });

  it('was asked for everything', () => {
    const total = [...outcome.done.values()].reduce((sum, count) => sum + count, 0);
    say(`${total} operations: ${JSON.stringify(Object.fromEntries(outcome.done))}`);
    expect(operationNames.filter((name) => !outcome.done.has(name))).toEqual([]);
  });

  it('leaves no process, mount, namespace, control group, device, file or passing row', async () => {
    await expect
      .poll(() => machineResidue(home, pid()), { timeout: 30_000, interval: 200 })
      .toEqual(noResidue);
    await expect.poll(() => keptFiles(home), { timeout: 30_000, interval: 200 }).toEqual([]);
    expect(passingRows(home)).toEqual([]);
    expect(descendantsOf(pid()).length).toBeLessThanOrEqual(before.processes + allowedProcesses);
  }, 90_000);

  it('holds no more memory and descriptors than in the beginning', async () => {
    const uncollected = residentMegabytes(pid());
    const heap = await collectedHeapMegabytes(server);
    say(`heap: ${before.heap.toFixed(1)} MB, then ${heap.toFixed(1)} MB`);
    expect(heap).toBeLessThan(before.heap + allowedHeapMegabytes);
    // What was collected is given back to the system by and by.
    await expect
      .poll(() => residentMegabytes(pid()), { timeout: 10_000, interval: 200 })
      .toBeLessThan(before.resident + allowedMegabytes);
    const resident = [before.resident, residentMegabytes(pid()), uncollected];
    const [first, last, most] = resident.map((megabytes) => `${megabytes.toFixed(0)} MB`);
    say(`process: ${first}, then ${last}, and ${most} before the collection`);
    expect(descriptors()).toBeLessThan(before.descriptors + allowedDescriptors);
  });
});
