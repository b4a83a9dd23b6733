import type { AuditedChange } from '@sandgate/core';

/** A route that says it changes nothing, or records what it does itself, is given nothing to record. */
export const noChange: AuditedChange = {
  note: () => undefined,
  append() {
    throw new Error('A route that declares no audited change made one.');
  },
  alsoAppend() {
    throw new Error('A route that declares no audited change made one.');
  },
};
