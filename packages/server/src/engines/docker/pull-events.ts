import type { ImagePullProgress } from '@sandgate/core';

/** A line of what the daemon says while it pulls (Docker Engine API, `ImageCreate`). */
export interface PullEvent {
  readonly status?: string;
  /** Of a layer, the beginning of its digest. */
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

const maxLineCharacters = 1_048_576;

export async function* readPullEvents(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<PullEvent> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const piece of stream) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as PullEvent;
    if (rest.length > maxLineCharacters) throw new Error('the daemon says a line without end');
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as PullEvent;
}

/** What all layers have come to. */
export class DockerPullProgress {
  readonly #layers = new Map<string, { done: number; total: number }>();

  /** Of all layers that have begun, as they are transferred. */
  get totalBytes(): number {
    return [...this.#layers.values()].reduce((sum, { total }) => sum + total, 0);
  }

  /** Null: the event tells nothing of how far it is. */
  add({ status, id, progressDetail }: PullEvent): ImagePullProgress | null {
    if (id === undefined || (status !== 'Downloading' && status !== 'Extracting')) {
      const layer = this.#layers.get(id ?? '');
      if (layer === undefined || !status?.endsWith('complete')) return null;
      layer.done = layer.total;
      return this.#progress(status === 'Pull complete' ? 'extracting' : 'downloading', id ?? '');
    }
    const { current = 0, total = 0 } = progressDetail ?? {};
    const layer = this.#layers.get(id) ?? { done: 0, total: 0 };
    layer.total = Math.max(layer.total, total);
    layer.done = status === 'Extracting' ? layer.total : Math.min(current, layer.total);
    this.#layers.set(id, layer);
    return this.#progress(status === 'Extracting' ? 'extracting' : 'downloading', id);
  }

  #progress(phase: ImagePullProgress['phase'], layer: string): ImagePullProgress {
    const done = [...this.#layers.values()].reduce((sum, each) => sum + each.done, 0);
    return { phase, layer, doneBytes: done, totalBytes: this.totalBytes };
  }
}
