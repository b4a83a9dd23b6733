import { openInside } from '../open-inside.ts';

/** Opens the network namespace of a sandbox, as `openInside` says. */
export const openNetworkNamespace = (launcherPid: number): number =>
  openInside(launcherPid, 'net', 'ns/net');
