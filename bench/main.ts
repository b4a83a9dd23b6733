import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ServerProcess, startServerProcess } from '../tests/support/server-process.ts';
import { createBrimbleClient } from './brimble-client.ts';
import { createKeepAliveClient, type KeepAliveClient } from './keep-alive-client.ts';
import { largeRows } from './large/large-rows.ts';
import { type Row, tableOf } from './row.ts';
import { coldStart } from './rows/cold-start.ts';
import { execRoundTrip } from './rows/exec-round-trip.ts';
import { fiftyAtOnce } from './rows/fifty-at-once.ts';
import { identity } from './rows/identity.ts';
import { idleCrowd } from './rows/idle-crowd.ts';
import { keyCheck } from './rows/key-check.ts';
import { largeFiles } from './rows/large-files.ts';
import { limitRows } from './rows/limits.ts';
import { mcpGate } from './rows/mcp-gate.ts';
import { roundTrips } from './rows/round-trips.ts';
import { streamLatency } from './rows/stream-latency.ts';
import { warmStart } from './rows/warm-start.ts';
import { warmUp } from './warm-up.ts';

/** What is measured together, by the name that `--only` takes. */
const groups: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  'key-check': keyCheck,
  identity,
  limits: limitRows,
  mcp: mcpGate,
  sandboxes: sandboxRows,
  platform: platformRows,
};

/** Works against one real server that has been in use. */
async function withServer(
  config: object,
  work: (server: ServerProcess, client: KeepAliveClient) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'sg-bench-'));
  writeFileSync(join(home, 'config.json'), JSON.stringify(config));
  const server = await startServerProcess({ home });
  const client = createKeepAliveClient(server.address, server.firstKey);
  try {
    console.error('warm-up …');
    await warmUp(client);
    return await work(server, client);
  } finally {
    client.close();
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

const pidOf = ({ process }: ServerProcess): number => process.pid ?? 0;

function sandboxRows(): Promise<readonly Row[]> {
  return withServer({}, async (server, client) => {
    console.error('start to first output …');
    const cold = [await coldStart(client, 'python'), await coldStart(client, 'node')];
    console.error('round trips …');
    const trips = await roundTrips(client);
    console.error('fifty at once …');
    return [...cold, ...trips, ...(await fiftyAtOnce(client, pidOf(server)))];
  });
}

/** With a warm pool only where it is what is measured: it refills beside everything else. */
async function platformRows(): Promise<readonly Row[]> {
  const warm = await withServer({ pool: { python: 2 } }, async (_, client) => {
    console.error('from a warm pool …');
    return [await warmStart(client)];
  });
  const others = await withServer({ maxSandboxes: 300 }, async (server, client) => {
    const files = createBrimbleClient(server.address, server.firstKey);
    try {
      console.error('exec, streams and large files …');
      const exec = await execRoundTrip(client);
      const stream = await streamLatency(files);
      const large = await largeFiles(files, pidOf(server));
      console.error('two hundred idle ones …');
      return [exec, stream, ...large, ...(await idleCrowd(client, pidOf(server)))];
    } finally {
      files.close();
    }
  });
  return [...warm, ...others];
}

/** The groups that `--only` names, or all of them. */
function chosenGroups(chosen: readonly string[] = Object.keys(groups)): readonly string[] {
  const unknown = chosen.filter((name) => groups[name] === undefined);
  if (unknown.length === 0) return chosen;
  throw new Error(`There is no ${unknown.join(', ')}. There are ${Object.keys(groups).join(', ')}`);
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    /** The large database, and nothing else: making it takes longer than all other groups. */
    large: { type: 'boolean', default: false },
    /** Leaves the large database for the next run. */
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const help = `npm run bench -- [--only GROUP]… [--large [--keep]]

Measures, side by side with the peers, and prints a table. Takes about ten minutes.

  --only GROUP  one of ${Object.keys(groups).join(', ')}; may be given several times
  --large       only what is measured with a million keys and ten million usage rows
  --keep        leaves that database for the next run`;

async function measure(): Promise<readonly Row[]> {
  if (values.large) return await largeRows({ keep: values.keep });
  const rows: Row[] = [];
  for (const name of chosenGroups(values.only)) {
    console.error(`${name} …`);
    rows.push(...((await groups[name]?.()) ?? []));
  }
  return rows;
}

console.log(values.help ? help : tableOf(await measure()));
