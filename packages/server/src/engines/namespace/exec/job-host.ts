import type { HostIdentity } from '../host-identity.ts';
import type { FifoPool } from './fifo-pool.ts';

/** The running sandbox, as its jobs see it. */
export interface JobHost {
  /** The host's directory of this sandbox's FIFOs. */
  readonly ioDirectory: string;
  readonly identity: HostIdentity;
  readonly fifos: FifoPool;
  /** Resolves when every process of the sandbox is gone. Never rejects. */
  readonly ended: Promise<unknown>;
  readonly running: boolean;
  /** Sends a call to the agent. Nothing happens after the end. */
  send(call: string): void;
  /** The sandbox broke the protocol, and is ended. */
  violation(what: string): void;
}
