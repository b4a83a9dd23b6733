import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type OutboundPolicy, type ResolveHost, resolveOutbound } from './outbound-target.ts';

export interface OutboundAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  destroy(): void;
}

/**
 * Agents whose connections go where the policy allows. A host is judged when a connection to it is made,
 * and the connection goes to the address that was judged, so that a name server that changes its mind
 * leads nowhere else. An address in a URL is not looked up: that is for `outboundUrlProblem`.
 */
export function createOutboundAgents(
  policy: OutboundPolicy,
  resolve: ResolveHost,
  pooling: Pick<AgentOptions, 'timeout' | 'maxFreeSockets'>,
): OutboundAgents {
  const lookup: LookupFunction = (host, { all }, done) => {
    const url = new URL(`https://${host}`);
    resolveOutbound(url, policy, resolve).then(
      (addresses) => {
        const [{ address, family }] = addresses;
        if (all === true) done(null, [...addresses]);
        else done(null, address, family);
      },
      (error: Error) => done(error, '', 0),
    );
  };
  const options = { keepAlive: true, ...pooling, lookup };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  return {
    ...agents,
    destroy() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}
