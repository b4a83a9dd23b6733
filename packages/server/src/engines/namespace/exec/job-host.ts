import type { HostIdentity } from '../host-identity.ts';
import type { FifoPool } from './fifo-pool.ts';

/** The running sandbox, as its jobs see it. */
export interface JobHost {
  /** The host's directory of this sandbox's FIFOs. */
  readonly ioDirectory: string;
  readonly identity: HostIdentity;
  readonly fifos: FifoPool;
  readonly running: boolean;
  /** Calls once when the sandbox is gone. The returned function takes that back. */
  onEnd(action: () => void): () => void;
  /** Sends a call to the agent. Nothing happens after the end. */
  send(call: string): void;
  /** The sandbox broke the protocol, and is ended. */
  violation(what: string): void;
}
