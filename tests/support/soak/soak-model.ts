/** What a sandbox must look like, by all that was done to it. */
export interface ModelSandbox {
  readonly id: string;
  readonly name: string;
  readonly language: 'python' | 'node';
  readonly oneShot: boolean;
  readonly volume: ModelVolume | null;
  /** A stopped one is a paused one to Brimble's clients. */
  state: 'ready' | 'paused' | 'stopped' | 'destroyed';
  /** Text by file name, in the working directory. */
  files: Map<string, string>;
  /** The files at the last stop, with which it comes back when it ends by itself. */
  saved: Map<string, string>;
  /** What its kernel was told to remember. */
  remembered: string | null;
  /** The addresses of the test that its egress policy lets it reach. */
  reach: 'none' | 'first' | 'all';
  /** It ends by itself, and nobody touches it until then. */
  ending: ModelEnding | null;
}

/** When a sandbox must still be there, when it must be gone, and why. */
export interface ModelEnding {
  readonly reason: 'expired' | 'idle' | 'paused_too_long';
  readonly earliestMs: number;
  readonly latestMs: number;
}

export interface ModelVolume {
  readonly id: string;
  readonly name: string;
  readonly files: Map<string, string>;
  /** The sandbox that is not destroyed and has it. */
  owner: ModelSandbox | null;
}

export interface ModelSnapshot {
  readonly id: string;
  readonly language: ModelSandbox['language'];
  readonly files: ReadonlyMap<string, string>;
}

/** What one client has. Nobody else touches it, so that each answer is known beforehand. */
export interface SoakModel {
  readonly sandboxes: Set<ModelSandbox>;
  readonly volumes: Set<ModelVolume>;
  readonly snapshots: Set<ModelSnapshot>;
}

export const createModel = (): SoakModel => ({
  sandboxes: new Set(),
  volumes: new Set(),
  snapshots: new Set(),
});

export const statusInModel = ({ state }: ModelSandbox): string =>
  state === 'stopped' ? 'paused' : state;
