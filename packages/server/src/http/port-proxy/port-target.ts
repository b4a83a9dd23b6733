import type { Duplex } from 'node:stream';

/** A port of a sandbox, as one request is to reach it. */
export interface PortTarget {
  readonly port: number;
  /** Opens a connection to it: `dial` of the sandboxes that the caller may touch, and of no others. */
  readonly dial: () => Promise<Duplex>;
  /** What the program is asked for: path and query, beginning with a slash. */
  readonly path: string;
  /**
   * What stands before `path` for the client, as in `/api/v1/sandboxes/box/ports/8080`. Then the port
   * shares its origin with this server and other sandboxes: it is given no cookies, sets none, and its
   * pages may run their scripts and nothing else. Empty: it has a host name, and so an origin, of its own.
   */
  readonly prefix: string;
  /** Further headers that carry a credential for this server and not for the program. Lower case. */
  readonly withheld?: readonly string[];
}
