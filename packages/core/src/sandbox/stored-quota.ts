import { SandgateError } from '../error/sandgate-error.ts';

/** What may be stored of sandboxes, whether or not they run. */
export interface StoredLimits {
  readonly sandboxesPerWorkspace: number;
  readonly sandboxes: number;
  /** Bytes of kept files. */
  readonly layerBytesPerWorkspace: number;
  readonly layerBytes: number;
}

/** Counts the files of one sandbox while they are being kept. */
export interface LayerCount {
  /**
   * Called before each piece is written.
   * @throws SandgateError `quota_exceeded` when there is no room for what the layer has grown by
   */
  readonly add: (bytes: number) => void;
  /** Called once. What was counted stands when the layer was kept, and is forgotten otherwise. */
  readonly end: (kept: boolean) => void;
}

interface Stored {
  readonly workspaceId: string;
  readonly bytes: number;
  /** False for the files of a snapshot. */
  readonly isSandbox: boolean;
}

const mebibyte = 1_048_576;

/**
 * How many sandboxes are stored and how many bytes of their files, in each workspace and in total.
 * It decides at once, without waiting for a store, so that what happens side by side cannot pass a
 * limit together.
 */
export class StoredQuota {
  readonly #limits: StoredLimits;
  readonly #stored = new Map<string, Stored>();
  readonly #sandboxes = new Map<string, number>();
  readonly #bytes = new Map<string, number>();
  #totalSandboxes = 0;
  #totalBytes = 0;

  constructor(limits: StoredLimits) {
    this.#limits = limits;
  }

  /** Counts a sandbox that is stored already. */
  load(id: string, workspaceId: string, layerBytes: number): void {
    if (this.#stored.has(id)) return;
    this.#stored.set(id, { workspaceId, bytes: layerBytes, isSandbox: true });
    this.#addSandboxes(workspaceId, 1);
    this.#addBytes(workspaceId, layerBytes);
  }

  /** Counts files that are no sandbox's, as those of a snapshot are. */
  loadFiles(id: string, workspaceId: string, bytes: number): void {
    if (this.#stored.has(id)) return;
    this.#stored.set(id, { workspaceId, bytes, isSandbox: false });
    this.#addBytes(workspaceId, bytes);
  }

  /** Counts a new sandbox. @throws SandgateError `quota_exceeded`, and nothing is counted */
  enter(id: string, workspaceId: string): void {
    const { sandboxesPerWorkspace, sandboxes, layerBytesPerWorkspace, layerBytes } = this.#limits;
    if ((this.#sandboxes.get(workspaceId) ?? 0) >= sandboxesPerWorkspace) {
      throw full(`This namespace has ${sandboxesPerWorkspace} sandboxes, which is the most`);
    }
    if (this.#totalSandboxes >= sandboxes) {
      throw full(`This server has ${sandboxes} sandboxes, which is the most`);
    }
    if ((this.#bytes.get(workspaceId) ?? 0) >= layerBytesPerWorkspace) {
      throw full(`The sandboxes of this namespace keep ${inMib(layerBytesPerWorkspace)} of files`);
    }
    if (this.#totalBytes >= layerBytes) {
      throw full(`The sandboxes of this server keep ${inMib(layerBytes)} of files`);
    }
    this.load(id, workspaceId, 0);
  }

  /** What is stored of a sandbox is gone. */
  leave(id: string): void {
    const stored = this.#stored.get(id);
    if (stored === undefined) return;
    this.#stored.delete(id);
    if (stored.isSandbox) this.#addSandboxes(stored.workspaceId, -1);
    this.#addBytes(stored.workspaceId, -stored.bytes);
  }

  /** A layer that is no larger than the one that it replaces always has room. */
  countLayer(id: string, workspaceId: string): LayerCount {
    const before = this.#stored.get(id)?.bytes ?? 0;
    let written = 0;
    let grown = 0;
    return {
      add: (bytes) => {
        written += bytes;
        const more = Math.max(0, written - before) - grown;
        this.#requireBytes(workspaceId, more);
        grown += more;
        this.#addBytes(workspaceId, more);
      },
      end: (kept) => {
        this.#addBytes(workspaceId, -grown);
        // A sandbox that ended by itself a moment ago stored nothing, and its old layer is still there.
        const stored = this.#stored.get(id);
        if (!kept || written === 0 || stored === undefined) return;
        this.#addBytes(workspaceId, written - before);
        this.#stored.set(id, { ...stored, bytes: written });
      },
    };
  }

  #requireBytes(workspaceId: string, bytes: number): void {
    const { layerBytesPerWorkspace, layerBytes } = this.#limits;
    if (bytes === 0) return;
    if ((this.#bytes.get(workspaceId) ?? 0) + bytes > layerBytesPerWorkspace) {
      throw full(
        `The files of this sandbox could not be kept: those of its namespace would be more than ${inMib(layerBytesPerWorkspace)}`,
      );
    }
    if (this.#totalBytes + bytes > layerBytes) {
      throw full(
        `The files of this sandbox could not be kept: those of the server would be more than ${inMib(layerBytes)}`,
      );
    }
  }

  #addSandboxes(workspaceId: string, count: number): void {
    this.#totalSandboxes += count;
    const sum = (this.#sandboxes.get(workspaceId) ?? 0) + count;
    if (sum > 0) this.#sandboxes.set(workspaceId, sum);
    else this.#sandboxes.delete(workspaceId);
  }

  #addBytes(workspaceId: string, bytes: number): void {
    this.#totalBytes += bytes;
    const sum = (this.#bytes.get(workspaceId) ?? 0) + bytes;
    if (sum > 0) this.#bytes.set(workspaceId, sum);
    else this.#bytes.delete(workspaceId);
  }
}

const inMib = (bytes: number): string => `${Math.floor(bytes / mebibyte)} MiB`;

const full = (what: string): SandgateError =>
  new SandgateError(
    'quota_exceeded',
    `${what}. Remove sandboxes that are not needed any more (msb server remove), or ask the operator to raise the limits under stored`,
  );
