import type { BrimbleRoute } from './brimble-route.ts';
import { listRegionsRoute } from './catalogue/list-regions.ts';
import { listTemplatesRoute } from './catalogue/list-templates.ts';
import { execRoute } from './commands/exec.ts';
import { runCodeRoute } from './commands/run-code.ts';
import { getFileRoute } from './files/get-file.ts';
import { putFileRoute } from './files/put-file.ts';
import { putFilesRoute } from './files/put-files.ts';
import { createKeyRoute } from './keys/create-key.ts';
import { resetKeyRoute } from './keys/reset-key.ts';
import { showKeyRoute } from './keys/show-key.ts';
import { createSandboxRoute } from './sandboxes/create-sandbox.ts';
import { destroySandboxRoute } from './sandboxes/destroy-sandbox.ts';
import { getSandboxRoute } from './sandboxes/get-sandbox.ts';
import { listSandboxesRoute } from './sandboxes/list-sandboxes.ts';
import { pauseSandboxRoute } from './sandboxes/pause-sandbox.ts';
import { resumeSandboxRoute } from './sandboxes/resume-sandbox.ts';
import { sandboxStatsRoute } from './sandboxes/sandbox-stats.ts';
import { setEgressRoute } from './sandboxes/set-egress.ts';
import { waitForSandboxRoute } from './sandboxes/wait-for-sandbox.ts';
import { createSnapshotRoute } from './snapshots/create-snapshot.ts';
import { deleteSnapshotRoute } from './snapshots/delete-snapshot.ts';
import { listSandboxSnapshotsRoute, listSnapshotsRoute } from './snapshots/list-snapshots.ts';
import { createVolumeRoute } from './volumes/create-volume.ts';
import { deleteVolumeRoute } from './volumes/delete-volume.ts';
import { getVolumeRoute } from './volumes/get-volume.ts';
import { listVolumesRoute } from './volumes/list-volumes.ts';

/** Every route of this door. Of two that fit a path, the first is taken. */
export const brimbleRoutes: readonly BrimbleRoute[] = [
  listTemplatesRoute,
  listRegionsRoute,
  createSandboxRoute,
  listSandboxesRoute,
  listSnapshotsRoute,
  deleteSnapshotRoute,
  getSandboxRoute,
  waitForSandboxRoute,
  destroySandboxRoute,
  pauseSandboxRoute,
  resumeSandboxRoute,
  setEgressRoute,
  execRoute,
  runCodeRoute,
  putFilesRoute,
  putFileRoute,
  getFileRoute,
  sandboxStatsRoute,
  createSnapshotRoute,
  listSandboxSnapshotsRoute,
  createVolumeRoute,
  listVolumesRoute,
  getVolumeRoute,
  deleteVolumeRoute,
  createKeyRoute,
  resetKeyRoute,
  showKeyRoute,
];
