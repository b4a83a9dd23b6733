import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { announce } from './announce.ts';

/** An MCP server that does nothing but answer, and holds every stream open: nobody can do it quicker. */
const server = createServer(async (request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
    return;
  }
  const { id } = JSON.parse(await text(request));
  const result = { content: [{ type: 'text', text: 'done' }] };
  const body = JSON.stringify({ jsonrpc: '2.0', id, result });
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    .end(body);
});
server.listen(0, '127.0.0.1', () => announce(server, null));
