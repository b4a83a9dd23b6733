import { z } from 'zod';
import { clientRequest } from '../../port-proxy/client-request.ts';
import { passToPort } from '../../port-proxy/pass-to-port.ts';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { queryNumber } from '../shared-schemas.ts';

export const reachPortRoute = defineRoute({
  operationId: 'reachPort',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/ports/{port}/{path}',
  tag: 'Ports',
  summary: 'Ask a program that listens on a port in the sandbox',
  description:
    'HTTP by any method, and WebSocket. path is everything behind the port; it, the query, headers and body are passed on as they are, but for credentials and cookies. A page that comes back is confined to an origin of its own by its Content-Security-Policy.',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  forwards: true,
  params: z.strictObject({
    ...sandboxParams.shape,
    port: queryNumber(1, 65_535),
    path: z.string(),
  }),
  upload: '*/*',
  answer: z.null(),
  media: ['*/*'],
  otherStatuses: { 101: 'The program speaks WebSocket from here' },
  errors: [
    'capability_missing',
    'capacity_exceeded',
    'port_closed',
    'port_failed',
    'sandbox_ended',
    'sandbox_not_found',
    'sandbox_not_running',
    'sandbox_paused',
  ],
  async run({ params: { sandbox: reference, port } }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, reference);
    const { request, incoming, respond } = context.exchange;
    const client = clientRequest(request, incoming, context.address);
    const { prefix, path } = splitPath(client.url);
    const dial = () => sandboxes.dial(workspace, sandbox.id, port);
    await passToPort({ port, dial, prefix, path }, client, respond);
    return null;
  },
});

/** As it was sent: what is decoded, or put together again, may mean something else. */
function splitPath({ pathname, search }: URL): { readonly prefix: string; readonly path: string } {
  const [prefix = ''] = /^\/api\/v1\/sandboxes\/[^/]+\/ports\/[^/]+/.exec(pathname) ?? [];
  return { prefix, path: `${pathname.slice(prefix.length) || '/'}${search}` };
}
