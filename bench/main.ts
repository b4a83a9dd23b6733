import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServerProcess } from '../tests/support/server-process.ts';
import { createKeepAliveClient } from './keep-alive-client.ts';
import { largeRows } from './large/large-rows.ts';
import { type Row, tableOf } from './row.ts';
import { coldStart } from './rows/cold-start.ts';
import { fiftyAtOnce } from './rows/fifty-at-once.ts';
import { identity } from './rows/identity.ts';
import { keyCheck } from './rows/key-check.ts';
import { limitRows } from './rows/limits.ts';
import { roundTrips } from './rows/round-trips.ts';
import { warmUp } from './warm-up.ts';

/** What is measured together, by the name that `--only` takes. */
const groups: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  'key-check': keyCheck,
  identity,
  limits: limitRows,
  sandboxes: sandboxRows,
};

/** Against one real server that has been in use. */
async function sandboxRows(): Promise<readonly Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'sg-bench-'));
  const server = await startServerProcess({ home });
  const client = createKeepAliveClient(server.address, server.firstKey);
  try {
    console.error('warm-up …');
    await warmUp(client);
    console.error('start to first output …');
    const cold = [await coldStart(client, 'python'), await coldStart(client, 'node')];
    console.error('round trips …');
    const trips = await roundTrips(client);
    console.error('fifty at once …');
    return [...cold, ...trips, ...(await fiftyAtOnce(client, server.process.pid ?? 0))];
  } finally {
    client.close();
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
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
  },
});
const rows: Row[] = [];
if (values.large) rows.push(...(await largeRows({ keep: values.keep })));
else {
  for (const name of chosenGroups(values.only)) {
    console.error(`${name} …`);
    rows.push(...((await groups[name]?.()) ?? []));
  }
}
console.log(tableOf(rows));
