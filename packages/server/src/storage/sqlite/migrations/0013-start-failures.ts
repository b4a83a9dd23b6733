import type { Migration } from './migration.ts';

/** Why a sandbox never became ready: who asked for it is answered before it is known. */
export const startFailures: Migration = {
  version: 13,
  sql: 'alter table sandboxes add column start_failure text',
};
