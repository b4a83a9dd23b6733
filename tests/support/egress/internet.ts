/**
 * The Internet of the egress tests: a network namespace with public addresses, private ones and a
 * metadata service, all of which answer. Started in a namespace of its own; told by a line when the
 * interface `net0` is there.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { startNameServer } from '../../../packages/server/src/engines/contract/name-server.ts';
import { addresses, link } from './addresses.ts';

const ip = (...words: string[]): Buffer => execFileSync('ip', words);

process.stdout.write('here\n');
await once(process.stdin, 'data');
ip('link', 'set', 'lo', 'up');
for (const address of [...Object.values(addresses.public), ...Object.values(addresses.inside)]) {
  ip('address', 'add', `${address}/${address.includes(':') ? 128 : 32}`, 'dev', 'lo');
}
ip('address', 'add', `${link.internet4}/30`, 'dev', 'net0');
ip('address', 'add', `${link.internet6}/64`, 'dev', 'net0', 'nodad');
ip('link', 'set', 'net0', 'up');
ip('route', 'add', `${addresses.own}/32`, 'via', link.server4);

const { web, nameServer } = addresses.public;
await startNameServer(
  {
    'web.example': [[web, addresses.public.web6]],
    'metadata.example': [[addresses.inside.metadata]],
    'lab.example': [[addresses.inside.lab]],
  },
  { address: nameServer, port: 53 },
);
const server = createServer((request, response) => {
  response.end(`${request.socket.localAddress?.replace('::ffff:', '')} ${request.url}`);
});
server.listen(80, '::');
await once(server, 'listening');
process.stdout.write('ready\n');
// It ends with the test that started it.
process.stdin.on('end', () => process.exit());
