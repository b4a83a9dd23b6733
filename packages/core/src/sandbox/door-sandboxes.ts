import type { Sandboxes } from './sandboxes.ts';

/** What is the server's own business, and no caller's. */
type ServersOwn = 'runningCount' | 'reconcile' | 'close';

/** Sandboxes as a door is given them: those of one caller, within everything that bounds it. */
export type DoorSandboxes = Omit<Sandboxes, ServersOwn>;
