/** What programs in sandboxes reach from this machine, and what this machine reaches, as one JSON text. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EgressDenial, EgressPolicy, EngineSandbox } from '@sandgate/core';
import { runProgram } from '../../../packages/server/src/engines/contract/contract-suite.ts';
import { createNamespaceEngine } from '../../../packages/server/src/engines/namespace/namespace-engine.ts';
import { addresses } from './addresses.ts';
import type { EgressVisit } from './egress-visit.ts';

const { web, web6, nameServer } = addresses.public;
const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address);
const inside = [...Object.values(addresses.inside), addresses.own].map(hostOf);
const reachable = ['web.example', web, hostOf(web6)];
const forbidden = [...inside, 'metadata.example', 'lab.example', `[::ffff:${web}]`];
const urlsOf = (hosts: readonly string[]): string[] => hosts.map((host) => `http://${host}/`);

const python = `
import sys, urllib.request, urllib.error
for url in sys.argv[1:]:
    try: print(urllib.request.urlopen(url).read().decode())
    except urllib.error.HTTPError as error: print(error.code, error.read().decode().strip())`;
/** By `fetch`, and past the proxy: over TCP, and as a question to the name server. */
const node = `
(async () => {
  for (const url of process.argv.slice(1))
    await fetch(url).then((answer) => answer.text()).catch(() => 'refused').then(console.log);
  const socket = require('dgram').createSocket('udp4');
  require('net').connect(80, '${web}').on('connect', () => console.log('out')).on('error', (error) => {
    console.log(error.code);
    socket.send('x', 53, '${nameServer}', (failure) => { console.log(failure?.code ?? 'sent'); socket.close() });
  });
})()`;

async function lines(sandbox: EngineSandbox, argv: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await runProgram(sandbox, argv, { timeoutMs: 60_000 });
  return (stdout + stderr).trim().split('\n');
}

/** Interfaces, and the IPv4 routes by interface, destination and gateway. */
const networkOfMachine = (): string =>
  ['dev', 'route']
    .flatMap((name) => readFileSync(`/proc/self/net/${name}`, 'utf8').split('\n'))
    .map((line) =>
      line
        .replace(/:[ \d]+$/, '')
        .split('\t', 3)
        .join(' '),
    )
    .join('\n');

const childrenOfServer = (): string =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();

const stateDirectory = mkdtempSync(join(tmpdir(), 'sandgate-egress-'));
const ownServer = createServer((_, response) => response.end('own')).listen(8_080, addresses.own);
const engine = createNamespaceEngine({ stateDirectory, nameServers: [nameServer] });
const denials: EgressDenial[] = [];

async function start(egress?: EgressPolicy): Promise<EngineSandbox> {
  return engine.start(
    {
      id: randomBytes(12).toString('hex'),
      hostname: 'box',
      image: 'microsandbox/python',
      resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
      environment: {},
      workdir: '/workspace',
      mounts: [],
      scripts: {},
      ...(egress === undefined ? {} : { egress }),
    },
    { onEgressDenied: (denial) => denials.push(denial) },
  );
}

try {
  const before = networkOfMachine();
  const machine = await Promise.all(
    urlsOf(inside.slice(0, -1)).map(async (url) => (await fetch(url)).text()),
  );
  const open = await start({ mode: 'open' });
  const urls = urlsOf([...reachable, ...forbidden]);
  const visit: EgressVisit = {
    machine,
    python: await lines(open, ['python3', '-c', python, ...urls, `http://${addresses.own}:8080/`]),
    node: await lines(open, ['node', '-e', node, ...urls]),
    denials: denials.length,
    networkChanged: networkOfMachine() !== before,
    leftChildren: '',
  };
  await engine.close();
  process.stdout.write(`${JSON.stringify({ ...visit, leftChildren: childrenOfServer() })}\n`);
} finally {
  await engine.close();
  ownServer.close();
  rmSync(stateDirectory, { recursive: true, force: true });
}
