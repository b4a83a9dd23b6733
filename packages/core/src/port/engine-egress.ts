/**
 * Where a sandbox may connect to. Private, loopback, link-local, multicast and metadata addresses are
 * refused in every mode, also where a name resolves to one.
 */
export type EgressPolicy =
  | { readonly mode: 'open' }
  /** IPv4 and IPv6 addresses, CIDR blocks and host names; `*.example.com` stands for every name below. */
  | { readonly mode: 'restricted'; readonly allow: readonly string[] }
  | { readonly mode: 'deny_all' };

/** A connection that a policy refused. */
export interface EgressDenial {
  readonly sandboxId: string;
  readonly atMs: number;
  /** Host name where the program named one, else the address. */
  readonly host: string;
  readonly port: number;
  /** Why, in one sentence for the sandbox's owner. */
  readonly reason: string;
}
