import { SandgateError } from '../error/sandgate-error.ts';

/** In the same words for one that is there and out of reach. */
export const snapshotNotFound = (): SandgateError =>
  new SandgateError('snapshot_not_found', 'Snapshot not found');

/** As `snapshotNotFound`. */
export const volumeNotFound = (): SandgateError =>
  new SandgateError('volume_not_found', 'Volume not found');
