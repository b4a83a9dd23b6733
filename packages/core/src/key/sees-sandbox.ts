import type { ApiKey } from './api-key.ts';

/** Whether a key that is bound to one sandbox may be told of this one. One that is not is told of all. */
export const seesSandbox = (key: Pick<ApiKey, 'restrictions'> | null, sandboxId: string): boolean =>
  key?.restrictions.sandboxId === undefined || key.restrictions.sandboxId === sandboxId;
