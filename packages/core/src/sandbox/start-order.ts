import { SandgateError } from '../error/sandgate-error.ts';

/** Names in one `depends_on`. */
export const maxDependencies = 32;
/** Sandboxes that one start may bring with it, however they depend on each other. */
export const maxStartedTogether = 128;

const invalid = (message: string): SandgateError => new SandgateError('invalid_request', message);

/** Each name once, in the order of its first mention. @throws SandgateError `invalid_request` */
export function requireDependencies(names: readonly string[]): readonly string[] {
  const distinct = [...new Set(names)];
  if (distinct.length <= maxDependencies) return distinct;
  throw invalid(
    `depends_on names ${distinct.length} sandboxes, and ${maxDependencies} are the most`,
  );
}

/**
 * What has to be started before `name`, each sandbox once, those first that others depend on.
 * Every sandbox is asked for its own dependencies once, so that the work grows with the number of
 * sandboxes and not with the number of ways that lead to them.
 * @throws SandgateError `invalid_request` for a circle and for too many
 */
export async function startOrder(
  name: string,
  dependsOn: readonly string[],
  dependenciesOf: (name: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const order: string[] = [];
  const handled = new Set<string>();
  const visit = async (names: readonly string[], ancestors: readonly string[]): Promise<void> => {
    for (const dependency of requireDependencies(names)) {
      if (ancestors.includes(dependency)) {
        const circle = [...ancestors, dependency].join(' → ');
        throw invalid(`depends_on goes round in a circle: ${circle}`);
      }
      if (handled.has(dependency)) continue;
      handled.add(dependency);
      if (handled.size > maxStartedTogether) {
        throw invalid(`depends_on leads to more than ${maxStartedTogether} sandboxes`);
      }
      await visit(await dependenciesOf(dependency), [...ancestors, dependency]);
      order.push(dependency);
    }
  };
  await visit(dependsOn, [name]);
  return order;
}

/** A client that went away gets nothing more started in its name. @throws `request_abandoned` */
export function requireWaiting(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new SandgateError('request_abandoned', 'The client went away before the sandbox started');
}
