import { z } from 'zod';

/** What a running server says over its control socket. Times are epoch milliseconds. */
export const serverStatus = z.object({
  pid: z.int().positive(),
  /** Base address, as in `http://127.0.0.1:5555`. */
  address: z.string(),
  version: z.string(),
  startedAtMs: z.int(),
  authentication: z.enum(['required', 'development']),
  /** Keys that are neither revoked nor bound to an older server key. */
  keys: z.int().nonnegative(),
  sandboxes: z.object({ total: z.int().nonnegative(), running: z.int().nonnegative() }),
  engine: z.object({
    /** The way sandboxes are started, as in `bubblewrap`. */
    name: z.string(),
    usable: z.boolean(),
    /** What is missing or could be stronger, one sentence each. */
    remarks: z.array(z.string()).readonly(),
  }),
});

export type ServerStatus = Readonly<z.infer<typeof serverStatus>>;
