import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../tests/support/call-api.ts';
import { type ServerProcess, startServerProcess } from '../../tests/support/server-process.ts';
import { createKeepAliveClient, type KeepAliveClient } from '../keep-alive-client.ts';
import { startPeer } from '../pinned-process.ts';
import { residentMegabytes } from '../process-memory.ts';
import { atMost, atMostAbove, type Row } from '../row.ts';
import { median } from '../statistics.ts';
import { timed } from './round-trips.ts';

const calls = 2_000;
const warmUpCalls = 500;
const streams = 1_000;
/** A key may hold fewer than all of them. */
const keysForStreams = 4;
const openFiles = 8_192;
const limit = 1_000_000;
const limits = { minute: limit, hour: limit, day: limit };

/** What the gate adds to a call of a tool, and what open streams hold. */
export async function mcpGate(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-bench-mcp-'));
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  const config = { mcp: { allowedPrivateHosts: ['127.0.0.1'] } };
  writeFileSync(join(home, 'config.json'), JSON.stringify(config));
  const upstream = await startPeer('mcp-server');
  const server = await startServerProcess({ home, openFiles });
  try {
    const body = { name: 'upstream', url: `${upstream.address}/mcp` };
    await callApi(server.address, 'POST', '/mcp-servers', server.firstKey, body);
    return [await addedTime(upstream.address, server), await heldMemory(server)];
  } finally {
    await server.stop();
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeKey({ address, firstKey }: ServerProcess): Promise<string> {
  const body = { name: 'bench', workspace: 'default', limits };
  return (await callApi(address, 'POST', '/api-keys', firstKey, body)).body.key;
}

const toolCall = (id: number) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'any', arguments: { a: 1 } },
});

/** In turn, so that a busy machine is busy for both. */
async function addedTime(upstream: string, server: ServerProcess): Promise<Row> {
  const direct = { client: createKeepAliveClient(upstream, 'none'), path: '/mcp' };
  const client = createKeepAliveClient(server.address, await makeKey(server));
  const gated = { client, path: '/mcp/servers/upstream' };
  const call = async (
    { client, path }: { client: KeepAliveClient; path: string },
    id: number,
  ): Promise<number> =>
    await timed(async () => {
      const { result } = await client.post(path, toolCall(id));
      if (result?.content?.[0]?.text !== 'done') throw new Error('The tool was not called.');
    });
  const times = { direct: [] as number[], gated: [] as number[] };
  for (let index = 0; index < warmUpCalls + calls; index += 1) {
    const one = await call(direct, index);
    const other = await call(gated, index);
    if (index < warmUpCalls) continue;
    times.direct.push(one);
    times.gated.push(other);
  }
  direct.client.close();
  client.close();
  return atMostAbove(1, {
    what: 'call of a tool through the gate, usage committed',
    unit: 'ms',
    ours: median(times.gated),
    peer: { name: 'straight to the MCP server', value: median(times.direct) },
  });
}

async function heldMemory(server: ServerProcess): Promise<Row> {
  const keys = await Promise.all(Array.from({ length: keysForStreams }, () => makeKey(server)));
  const before = residentMegabytes(server.process.pid ?? 0);
  const agent = new Agent({ keepAlive: false });
  const open: ClientRequest[] = [];
  for (let index = 0; index < streams; index += 1) {
    const stream = request(`${server.address}/mcp/servers/upstream`, {
      agent,
      headers: {
        authorization: `Bearer ${keys[index % keysForStreams]}`,
        accept: 'text/event-stream',
      },
    });
    stream.end();
    open.push(stream);
    const [response] = await once(stream, 'response');
    if (response.statusCode !== 200) throw new Error(`A stream got ${response.statusCode}.`);
    await once(response, 'data');
    response.on('error', () => undefined);
    stream.on('error', () => undefined);
  }
  const held = residentMegabytes(server.process.pid ?? 0) - before;
  for (const stream of open) stream.destroy();
  return atMost(200, {
    what: `memory that ${streams} open streams add to the server (RSS)`,
    unit: 'MB',
    ours: held,
  });
}
