import { SandgateError } from '@sandgate/core';
import { passToPort } from '../../../port-proxy/pass-to-port.ts';
import type { SandboxAction, SandboxActionContext } from './sandbox-action.ts';

/** Where the web server of Modbox's images listens, with everything that they show. */
const frontPort = 8_080;

async function pass(
  { sandboxes, workspace, sandbox, client, respond, rest, query }: SandboxActionContext,
  port: number,
  prefix: string,
): Promise<null> {
  if (port < 1 || port > 65_535) {
    throw new SandgateError('invalid_request', 'port: must be 1 to 65535');
  }
  const dial = () => sandboxes.dial(workspace, sandbox.id, port);
  await passToPort({ port, dial, prefix, path: `${rest}${query}` }, client(), respond);
  return null;
}

export const reachPortAction: SandboxAction = {
  method: null,
  path: '/ports/{port}/**',
  scope: 'sandbox:exec',
  run: (context) => {
    const { port = '' } = context.params;
    // Not the sandbox's other paths: in one origin, a port's pages are kept from everything.
    return pass(context, portOf(port), `${context.address.prefix}/ports/${port}`);
  },
};

/** Of a host name that is about one port. */
export const reachHostPortAction: SandboxAction = {
  method: null,
  path: '/**',
  scope: 'sandbox:exec',
  run: (context) => pass(context, context.address.port ?? frontPort, context.address.prefix),
};

const portOf = (text: string): number => (/^\d{1,5}$/.test(text) ? Number(text) : 0);
