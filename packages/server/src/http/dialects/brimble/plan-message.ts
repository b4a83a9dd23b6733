/** What a plan allows, in the documented words. Null where there are none. */
export function planMessage(data: Readonly<Record<string, unknown>> | undefined): string | null {
  const { resource, allowed } = data ?? {};
  if (typeof resource !== 'string' || typeof allowed !== 'number') return null;
  return wordings[resource]?.(allowed) ?? null;
}

const upTo =
  (things: string, remedy: string) =>
  (allowed: number): string =>
    `Your plan allows up to ${allowed} ${things}. ${remedy} or upgrade.`;

const sandboxes = upTo('sandboxes', 'Destroy an existing one');

/** Sizes are asked for in whole GB, so what does not make another one is of no use. */
const wholeGigabytes = (mebibytes: number): number => Math.floor(mebibytes / 1_024);

const wordings: Readonly<Record<string, (allowed: number) => string>> = {
  sandboxes,
  running: sandboxes,
  volumes: upTo('volumes', 'Delete an existing one'),
  snapshots: upTo('snapshots', 'Delete an existing one'),
  volumeMib: (allowed) =>
    `Your plan allows volumes up to ${wholeGigabytes(allowed)}GB. Reduce size or upgrade.`,
};
