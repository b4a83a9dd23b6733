import { createServer } from 'node:http';
import { announce } from './announce.ts';

/** `node:http` and nothing else: no server on Node can do less for an answer. */
const server = createServer((_, response) => response.end('hello'));
server.listen(0, '127.0.0.1', () => announce(server, null));
