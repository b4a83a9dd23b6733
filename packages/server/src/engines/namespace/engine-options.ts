import type { Clock, EgressRules } from '@sandgate/core';
import type { ImageSource, TemplateImage } from './image/image-source.ts';

export type LauncherName = 'bubblewrap' | 'util-linux';

export interface NamespaceEngineOptions {
  /** Absolute. Holds writable layers, and the runtime directory unless the server is root. */
  readonly stateDirectory: string;
  /** Default `auto`: bubblewrap where it works, else util-linux. */
  readonly launcher?: 'auto' | LauncherName;
  readonly clock?: Clock;
  /** The `PATH` in which host programs and interpreters are looked for. Default: `/usr/bin:/bin`. */
  readonly searchPath?: string;
  /** The one Python that may be used, absolute. Default: the first on `searchPath` that works. */
  readonly pythonPath?: string;
  /**
   * First of the host user ids that sandboxes get when the server is root, one each, so that no
   * host root stands behind a sandbox and no two share a user. The default is the start of the range
   * 0x70000000 to 0x7ffeffff, which systemd's table of user ids (systemd.io/UIDS-GIDS) leaves unused.
   */
  readonly firstHostUid?: number;
  /** Where copies of interpreters go that a sandbox's user cannot reach. Root only. */
  readonly interpreterDirectory?: string;
  /** For the connections of all sandboxes. Default: nothing private, and no port 25. */
  readonly egress?: EgressRules;
  /** Connections out of all sandboxes at a time. Default: 4096. */
  readonly maxEgressConnections?: number;
  /** Addresses of name servers, with a port where it is not 53. Default: those of the machine. */
  readonly nameServers?: readonly string[];
  /** Where images come from. Default: there are no sandboxes but of the templates. */
  readonly images?: ImageSource;
  /** Templates beside those of the host's programs. Default: none. */
  readonly templateImages?: readonly TemplateImage[];
  /** The shell that becomes the agent, for tests. Default: dash where it is installed, else `/bin/sh`. */
  readonly agentShell?: string;
}

export const defaultFirstHostUid = 0x7000_0000;
/** Port 25 is how mail is delivered, and unasked mail is what others are blamed for first. */
export const defaultEgressRules: EgressRules = { allowedPrivateRanges: [], refusedPorts: [25] };
export const defaultMaxEgressConnections = 4_096;
export const maxHostUids = 65_536;
/** The others belong to volumes. */
export const maxSandboxUids = 32_768;
export const defaultInterpreterDirectory = '/var/lib/sandgate/runtimes';

/** User and group inside every sandbox, `sandbox`. */
export const guestUid = 1000;
export const guestHome = '/home/sandbox';
/** Read-only directory of the engine's own files inside a sandbox. */
export const guestEngineDirectory = '/.sandbox';
