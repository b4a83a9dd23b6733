import type { Terminal } from './terminal.ts';

const firstNoteMs = 1_000;
const nextNoteMs = 5_000;

/** Says what is going on, once it has taken a second, and again every five. */
export async function withProgress<T>(
  terminal: Terminal,
  title: string,
  work: Promise<T>,
): Promise<T> {
  const startMs = performance.now();
  const note = () => {
    const seconds = Math.round((performance.now() - startMs) / 1_000);
    terminal.note(`${title} … ${seconds} s`);
    timer = setTimeout(note, nextNoteMs);
  };
  let timer = setTimeout(note, firstNoteMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
