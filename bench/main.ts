import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess } from '../tests/support/server-process.ts';
import { createKeepAliveClient } from './keep-alive-client.ts';
import { type Row, tableOf } from './row.ts';
import { coldStart } from './rows/cold-start.ts';
import { fiftyAtOnce } from './rows/fifty-at-once.ts';
import { roundTrips } from './rows/round-trips.ts';
import { warmUp } from './warm-up.ts';

/** Runs every measurement against one real server, and prints the table. */
const home = mkdtempSync(join(tmpdir(), 'sg-bench-'));
const server = await startServerProcess({ home });
const client = createKeepAliveClient(server.address, server.firstKey);
const rows: Row[] = [];
try {
  console.error('warm-up …');
  await warmUp(client);
  console.error('start to first output …');
  rows.push(await coldStart(client, 'python'), await coldStart(client, 'node'));
  console.error('round trips …');
  rows.push(...(await roundTrips(client)));
  console.error('fifty at once …');
  rows.push(...(await fiftyAtOnce(client, server.process.pid ?? 0)));
} finally {
  client.close();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}
console.log(tableOf(rows));
