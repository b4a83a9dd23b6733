import { SandgateError } from '../error/sandgate-error.ts';
import type { KeyRestrictions } from '../key/key-restrictions.ts';
import type { Page, PageRequest } from '../port/page.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Sandbox } from './sandbox.ts';
import type { Sandboxes } from './sandboxes.ts';

/** Which sandboxes a key may touch, and what new ones it may make. */
export class SandboxReach {
  readonly #sandboxes: Sandboxes;
  readonly #restrictions: KeyRestrictions;

  constructor(sandboxes: Sandboxes, restrictions: KeyRestrictions) {
    this.#sandboxes = sandboxes;
    this.#restrictions = restrictions;
  }

  holds({ id, name, template }: Pick<Sandbox, 'id' | 'name' | 'template'>): boolean {
    const { sandboxId, sandboxNamePrefix = '' } = this.#restrictions;
    const isTheOne = sandboxId === undefined || id === sandboxId;
    return isTheOne && name.startsWith(sandboxNamePrefix) && this.holdsTemplate(template);
  }

  /** A template has two names, its own and that of its image, and either says the same. */
  holdsTemplate(name: string): boolean {
    const { templates } = this.#restrictions;
    if (templates === undefined || templates.includes(name)) return true;
    return this.#sandboxes
      .templates()
      .some(
        (template) =>
          [template.name, template.image].includes(name) &&
          [template.name, template.image].some((each) => templates.includes(each)),
      );
  }

  /** @throws SandgateError `sandbox_not_found`, in the same words for one that is out of reach */
  async find(
    workspace: Workspace,
    reference: string,
    options?: { readonly includeDestroyed?: boolean },
  ): Promise<Sandbox> {
    const sandbox = await this.#sandboxes.find(workspace, reference, options);
    if (this.holds(sandbox)) return sandbox;
    throw new SandgateError(
      'sandbox_not_found',
      `Sandbox '${reference}' not found in namespace '${workspace.slug}'`,
    );
  }

  /** Null when there is none of that name, also out of reach. */
  async findIfThere(workspace: Workspace, reference: string): Promise<Sandbox | null> {
    try {
      return await this.#sandboxes.find(workspace, reference);
    } catch (error) {
      if (error instanceof SandgateError && error.code === 'sandbox_not_found') return null;
      throw error;
    }
  }

  /** What a sandbox of that id is to the key, destroyed or not. */
  async holdsId(workspace: Workspace, sandboxId: string): Promise<boolean> {
    const { sandboxId: only, sandboxNamePrefix, templates } = this.#restrictions;
    if (only !== undefined && only !== sandboxId) return false;
    if (sandboxNamePrefix === undefined && templates === undefined) return true;
    try {
      return this.holds(
        await this.#sandboxes.find(workspace, sandboxId, { includeDestroyed: true }),
      );
    } catch (error) {
      if (error instanceof SandgateError && error.code === 'sandbox_not_found') return false;
      throw error;
    }
  }
}

const entriesAtOnce = 100;

/** A page of those entries that `holds` lets through; the others are neither shown nor counted. */
export async function pageOfHeld<Item extends { readonly id: string }>(
  read: (page: PageRequest) => Promise<Page<Item>>,
  holds: (item: Item) => boolean | Promise<boolean>,
  { limit, offset = 0, afterId }: PageRequest,
): Promise<Page<Item>> {
  const held: Item[] = [];
  for (let after: string | null = null; ; ) {
    const page: Page<Item> = await read({
      limit: entriesAtOnce,
      ...(after === null ? {} : { afterId: after }),
    });
    for (const item of page.items) if (await holds(item)) held.push(item);
    after = page.nextAfterId;
    if (after === null) break;
  }
  // Ids are ordered by time, and pages run from the newest to the oldest.
  const behind = afterId === undefined ? held : held.filter(({ id }) => id < afterId);
  const items = behind.slice(offset, offset + limit);
  const isLast = behind.length <= offset + limit;
  return { items, total: held.length, nextAfterId: isLast ? null : (items.at(-1)?.id ?? null) };
}
