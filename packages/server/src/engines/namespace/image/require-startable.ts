import { SandgateError } from '@sandgate/core';
import type { LaunchContext } from '../launch-sandbox.ts';
import { reachableByOthers } from '../template/reachable-by-others.ts';
import type { HeldImage } from './image-source.ts';

/**
 * The other launcher runs programs of the new root on its way into the sandbox, before it has given up its
 * rights: those of an image are not to be trusted with them.
 * @throws SandgateError `engine_unavailable`
 */
export function requireBubblewrap({ launcher }: LaunchContext): void {
  if (launcher.name === 'bubblewrap') return;
  throw new SandgateError(
    'engine_unavailable',
    'Images can be started where bubblewrap works. Install it; `msb doctor` says more.',
  );
}

/** @throws SandgateError `engine_unavailable` */
export function requireStartable(context: LaunchContext, { directory }: HeldImage): void {
  requireBubblewrap(context);
  if (!context.identities.drops || reachableByOthers(directory)) return;
  throw new SandgateError(
    'engine_unavailable',
    'Sandboxes cannot reach the images of this server: they have to be where every user can walk to.',
    { detail: directory },
  );
}
