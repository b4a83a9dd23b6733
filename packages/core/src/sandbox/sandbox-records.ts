import { SandgateError } from '../error/sandgate-error.ts';
import type { Page, PageRequest } from '../port/page.ts';
import type { SandboxFilter } from '../port/sandbox-store.ts';
import type { Storage } from '../port/storage.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { EventStream } from './event-stream.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { mayTransition, type Sandbox, type SandboxFacts } from './sandbox.ts';
import type { SandboxActivity } from './sandbox-activity.ts';
import type { Settler } from './settle-later.ts';

const idForm = /^[0-9a-f]{24}$/;

interface RecordsParts {
  readonly storage: Pick<Storage, 'sandboxes'>;
  readonly events: EventStream;
  readonly activity: SandboxActivity;
  readonly inTurn: KeyedQueue;
  readonly settler: Settler;
  readonly onBackgroundError: (error: unknown, sandbox: Sandbox) => void;
  /** Told of each sandbox as it is stored. */
  readonly onStored: (sandbox: Sandbox) => void;
}

/**
 * The stored sandboxes. What the machine has done already is settled: kept here until the store takes
 * it, so that a store that fails for a while leaves no sandbox between two states.
 */
export class SandboxRecords {
  readonly #parts: RecordsParts;
  readonly #unsettled = new Map<string, Sandbox>();

  constructor(parts: RecordsParts) {
    this.#parts = parts;
  }

  /** @throws SandgateError `sandbox_not_found` */
  async find(
    workspace: Workspace,
    reference: string,
    { includeDestroyed = false }: { readonly includeDestroyed?: boolean } = {},
  ): Promise<Sandbox> {
    const found = await this.look(workspace, reference, includeDestroyed);
    if (found !== null) return found;
    throw new SandgateError(
      'sandbox_not_found',
      `Sandbox '${reference}' not found in namespace '${workspace.slug}'`,
    );
  }

  async look(
    workspace: Workspace,
    reference: string,
    includeDestroyed = false,
  ): Promise<Sandbox | null> {
    if (idForm.test(reference)) {
      const byId = await this.byId(reference);
      const visible = byId !== null && (includeDestroyed || byId.state !== 'destroyed');
      if (visible && byId.workspaceId === workspace.id) return byId;
    }
    const found = await this.#parts.storage.sandboxes.findByName(workspace.id, reference);
    if (found === null) return null;
    const current = this.#current(found);
    return current.state === 'destroyed' ? null : current;
  }

  async byId(id: string): Promise<Sandbox | null> {
    const found = await this.#parts.storage.sandboxes.findById(id);
    return found === null ? null : this.#current(found);
  }

  async list(workspaceId?: string): Promise<readonly Sandbox[]> {
    const stored = await this.#parts.storage.sandboxes.list(workspaceId);
    return stored.map((sandbox) => this.#current(sandbox));
  }

  async page(
    workspaceId: string,
    filter: SandboxFilter,
    request: PageRequest,
  ): Promise<Page<Sandbox>> {
    const page = await this.#parts.storage.sandboxes.page(workspaceId, filter, request);
    return { ...page, items: page.items.map((sandbox) => this.#current(sandbox)) };
  }

  async insert(sandbox: Sandbox): Promise<void> {
    await this.#parts.storage.sandboxes.insert(sandbox);
    this.#announce(null, sandbox);
  }

  /** Stores a new state before anything is done about it. */
  async store<T extends Sandbox>(from: Sandbox, to: T): Promise<T> {
    requireTransition(from, to);
    const current = this.#current(to) as T;
    await this.#parts.storage.sandboxes.update(current);
    this.#unsettled.delete(to.id);
    this.#announce(from, current);
    return current;
  }

  /** Stores a state that the machine is in already: now, or as soon as the store takes it. */
  async settle<T extends Sandbox>(from: Sandbox, to: T): Promise<T> {
    requireTransition(from, to);
    this.#unsettled.delete(to.id);
    const current = this.#current(to) as T;
    this.#unsettled.set(current.id, current);
    let tried = false;
    await this.#parts.settler.settle(
      () => {
        if (tried) return this.#parts.inTurn(current.id, () => this.#storeUnsettled(current));
        // The caller has the turn.
        tried = true;
        return this.#storeUnsettled(current);
      },
      (error) => this.#parts.onBackgroundError(error, current),
    );
    this.#announce(from, current);
    return current;
  }

  /** Stores what was changed of a sandbox beside its state. */
  async change(to: Sandbox): Promise<Sandbox> {
    this.#unsettled.delete(to.id);
    const current = this.#current(to);
    await this.#parts.storage.sandboxes.update(current);
    this.#parts.onStored(current);
    return current;
  }

  async #storeUnsettled(sandbox: Sandbox): Promise<void> {
    // Whatever was stored since says more.
    if (this.#unsettled.get(sandbox.id) !== sandbox) return;
    try {
      await this.#parts.storage.sandboxes.update(sandbox);
    } catch (error) {
      if (!(error instanceof SandgateError) || error.code !== 'sandbox_not_found') throw error;
    }
    this.#unsettled.delete(sandbox.id);
  }

  /** As it really is: with what the store has not taken yet, and with what was asked of it since. */
  #current(stored: Sandbox): Sandbox {
    const sandbox = this.#unsettled.get(stored.id) ?? stored;
    const lastActivityAtMs = this.#parts.activity.lastMs(sandbox.id, sandbox.lastActivityAtMs);
    return lastActivityAtMs === sandbox.lastActivityAtMs
      ? sandbox
      : { ...sandbox, lastActivityAtMs };
  }

  #announce(from: Sandbox | null, to: Sandbox): void {
    this.#parts.onStored(to);
    this.#parts.events.publish(to.workspaceId, {
      kind: 'sandbox.state',
      sandboxId: to.id,
      name: to.name,
      state: to.state,
      previous: from?.state ?? null,
      reason: to.state === 'destroyed' ? to.destroyReason : null,
      failure: to.state === 'failed' ? to.failure : null,
    });
  }
}

function requireTransition(from: Sandbox, to: Sandbox): void {
  if (mayTransition(from.state, to.state)) return;
  throw new Error(`A sandbox cannot go from ${from.state} to ${to.state}.`);
}

/** What is stored of a sandbox in every state, to make another state of it. */
export function factsOf(sandbox: Sandbox): SandboxFacts {
  const { id, workspaceId, name, definition, template, labels, egress, volumes } = sandbox;
  const { fromSnapshot, lifetime, snapshotSchedule, createdByKey, createdAtMs } = sandbox;
  const { updatedAtMs, lastActivityAtMs, pausedAtMs } = sandbox;
  return {
    ...{ id, workspaceId, name, definition, template, labels, egress, volumes },
    ...{ fromSnapshot, lifetime, snapshotSchedule, createdByKey, createdAtMs },
    ...{ updatedAtMs, lastActivityAtMs, pausedAtMs },
  };
}
