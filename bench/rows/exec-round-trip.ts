import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNamespaceEngine } from '../../packages/server/src/engines/namespace/namespace-engine.ts';
import { callMethod, type KeepAliveClient } from '../keep-alive-client.ts';
import { atMostTimes, type Row } from '../row.ts';
import { median } from '../statistics.ts';
import { timed } from './round-trips.ts';

const rounds = 200;
const program = '/bin/true';

/** A program over HTTP, against the engine's own spawn of it in this process; both in turn. */
export async function execRoundTrip(client: KeepAliveClient): Promise<Row> {
  const state = mkdtempSync(join(tmpdir(), 'sg-bench-'));
  const engine = createNamespaceEngine({ stateDirectory: state });
  try {
    const own = await engine.start({
      id: randomBytes(12).toString('hex'),
      hostname: 'bench',
      image: 'microsandbox/python',
      resources: { memoryMib: 1_024, cpus: 1, diskMib: 1_024, maxProcesses: 256 },
      environment: {},
      workdir: '/workspace',
      mounts: [],
      scripts: {},
    });
    const sandbox = 'exec-round-trip';
    await callMethod(client, 'sandbox.start', { sandbox });
    const overHttp = () => callMethod(client, 'sandbox.command.run', { sandbox, command: program });
    const byEngine = () => own.exec({ argv: [program], onOutput: () => undefined });
    for (let warmUp = 0; warmUp < 20; warmUp += 1) await Promise.all([overHttp(), byEngine()]);
    const times = { overHttp: [0], byEngine: [0] };
    for (let round = 0; round < rounds; round += 1) {
      times.overHttp.push(await timed(overHttp));
      times.byEngine.push(await timed(byEngine));
    }
    await callMethod(client, 'sandbox.stop', { sandbox });
    await own.stop({ keepLayer: false });
    return atMostTimes(2, {
      what: `exec of ${program}, buffered`,
      unit: 'ms',
      ours: median(times.overHttp),
      peer: { name: "the engine's own spawn", value: median(times.byEngine) },
    });
  } finally {
    await engine.close();
    rmSync(state, { recursive: true, force: true });
  }
}
