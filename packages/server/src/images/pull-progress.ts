import type { ImagePullProgress } from '@sandgate/core';
import type { ResolvedLayer } from '../registry/resolve-image.ts';

const betweenMs = 250;

/** Adds up what the layers of an image have come to, and tells of it a few times a second. */
export class PullProgress {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #done = new Map<string, number>();
  readonly #totalBytes: number;
  readonly #emit: (progress: ImagePullProgress) => void;
  readonly #nowMs: () => number;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #phase: ImagePullProgress['phase'] = 'resolving';

  constructor(
    layers: readonly ResolvedLayer[],
    emit: (progress: ImagePullProgress) => void,
    nowMs: () => number,
  ) {
    this.#sizes = new Map(layers.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
    this.#totalBytes = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    this.#emit = emit;
    this.#nowMs = nowMs;
  }

  step(layer: string, phase: 'downloading' | 'extracting', bytes: number): void {
    const size = this.#sizes.get(layer) ?? 0;
    this.#done.set(layer, Math.min(size, (this.#done.get(layer) ?? 0) + bytes));
    const nowMs = this.#nowMs();
    if (phase === this.#phase && nowMs - this.#toldAtMs < betweenMs) return;
    this.#phase = phase;
    this.#toldAtMs = nowMs;
    this.#tell(phase, layer);
  }

  /** It is here, whether or not it had to come. */
  finish(layer: string): void {
    this.#done.set(layer, this.#sizes.get(layer) ?? 0);
    this.#tell('extracting', layer);
  }

  #tell(phase: ImagePullProgress['phase'], layer: string): void {
    const doneBytes = [...this.#done.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#emit({ phase, layer, doneBytes, totalBytes: this.#totalBytes });
  }
}
