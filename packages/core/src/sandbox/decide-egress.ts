import { isIP } from 'node:net';
import { addressAllowed } from '../key/address-allow-list.ts';
import { isPublicAddress } from '../network/public-address.ts';
import type { EgressPolicy } from '../port/engine-egress.ts';

/** What the operator of a server says about the connections of all sandboxes. */
export interface EgressRules {
  /** CIDR blocks that sandboxes may reach although they are not on the public Internet. */
  readonly allowedPrivateRanges: readonly string[];
  readonly refusedPorts: readonly number[];
}

/** The rules of a server, with what the machine says of itself. */
export interface MachineEgressRules extends EgressRules {
  /** Addresses of the machine: by them, a sandbox would reach what is meant for the machine alone. */
  readonly ownAddresses: readonly string[];
}

export interface EgressTarget {
  /** The name or address that the program gave, as `normalizeHost` writes it. */
  readonly host: string;
  readonly port: number;
  /** Where the connection really goes. Null: a name that is not resolved yet. */
  readonly address: string | null;
}

export type EgressDecision =
  | { readonly allowed: true }
  /** `reason` is one sentence for the sandbox's owner. */
  | { readonly allowed: false; readonly reason: string };

/**
 * Whether a sandbox may connect. To be asked before a name is resolved, since a look-up alone can
 * carry data out, and again for the address that it leads to.
 */
export function decideEgress(
  policy: EgressPolicy,
  rules: MachineEgressRules,
  target: EgressTarget,
): EgressDecision {
  const reason = policyRefusal(policy, target) ?? ruleRefusal(rules, target);
  return reason === null ? { allowed: true } : { allowed: false, reason };
}

function policyRefusal(policy: EgressPolicy, { host }: EgressTarget): string | null {
  switch (policy.mode) {
    case 'open':
      return null;
    case 'deny_all':
      return 'This sandbox may not connect to anything.';
    case 'restricted':
      return policy.allow.some((entry) => matches(entry, host))
        ? null
        : `${host} is not among the hosts that this sandbox may connect to.`;
  }
}

/** A name is allowed by a name, and an address that the program gave by an address or block. */
function matches(entry: string, host: string): boolean {
  if (isIP(host) !== 0) return addressAllowed([entry], host);
  return entry.startsWith('*.')
    ? host.endsWith(entry.slice(1)) && host.length >= entry.length
    : entry === host;
}

function ruleRefusal(
  rules: MachineEgressRules,
  { host, port, address }: EgressTarget,
): string | null {
  if (rules.refusedPorts.includes(port)) {
    return `Port ${port} is closed to the sandboxes of this server.`;
  }
  if (address === null || addressAllowed(rules.allowedPrivateRanges, address)) return null;
  if (isPublicAddress(address) && !addressAllowed(rules.ownAddresses, address)) return null;
  return `${host} is not on the public Internet, or is this server, and both are refused in every mode.`;
}
