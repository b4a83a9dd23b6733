/** Calls `action` once after `delayMs`, unless the returned function is called before. */
export type StartTimer = (action: () => void, delayMs: number) => () => void;

export function startRealTimer(action: () => void, delayMs: number): () => void {
  const timer = setTimeout(action, delayMs);
  return () => clearTimeout(timer);
}
