import {
  type ApiKey,
  type AuditContext,
  type Awaitable,
  type Charged,
  type CheckDependencies,
  callerActor,
  checkHeldCall,
  checkKey,
  type DoorSandboxes,
  type ErrorCode,
  type FailureBudget,
  type HeldCall,
  identifyKey,
  identifyPerson,
  type NewUsageRow,
  personNumber,
  type Refusal,
  SandgateError,
  type Timers,
  tooMany,
  type UsageLedger,
  type Workspace,
} from '@sandgate/core';
import { type Access, type Answered, type Authorizer, type Call, failureOf } from './authorizer.ts';
import { type Cut, RepeatedChecks } from './repeated-checks.ts';

export interface KeyAuthorizerDependencies extends CheckDependencies {
  readonly timers: Timers;
  /** Told when nobody can tell whether an open call may go on. */
  readonly onError: (error: unknown) => void;
  readonly ledger: UsageLedger;
  readonly failures: FailureBudget;
  readonly sandboxesFor: (key: ApiKey) => DoorSandboxes;
  /** Told of every accepted call, for alerts. */
  readonly onAccepted?: (keyNumber: number, address: string) => void;
  /** Told of every refusal, for the audit. */
  readonly onRefusal: (refusal: Refusal) => void;
  /** Runs work so that what it changes is audited under whoever asked for it. */
  readonly auditAs: <Result>(context: AuditContext, work: () => Result) => Result;
}

interface Ending {
  readonly status: number;
  readonly errorCode: ErrorCode | null;
  readonly sandboxId: string | null;
}

const strangerCodes: ReadonlySet<ErrorCode> = new Set([
  'credential_missing',
  'credential_invalid',
  'credential_ambiguous',
]);

/** Asks every call for a key that may make it. */
export function createKeyAuthorizer(dependencies: KeyAuthorizerDependencies): Authorizer {
  const { clock, counters, ledger, failures, onRefusal, auditAs, sandboxesFor } = dependencies;
  const { timers, onError } = dependencies;
  const openCalls = new RepeatedChecks({ timers, onError });

  /** A refused credential costs its address something, and a good one is never asked. */
  const refuse = (error: SandgateError, address: string): SandgateError => {
    if (!strangerCodes.has(error.code)) return error;
    const retryAfterMs = failures.charge(address, clock.nowMs());
    if (retryAfterMs === 0) return error;
    return tooMany('refused credentials from this address', 'failures', retryAfterMs);
  };

  /** The counters charged a call that the store did not take: what is stored is what counts. */
  const stored = <T>({ charged }: Begun, writing: Promise<T>): Promise<T> =>
    writing.then(
      (result) => {
        counters.settle(charged);
        return result;
      },
      (error) => {
        counters.forget(charged);
        throw error;
      },
    );

  const stillRefused = async (held: HeldCall, sandboxId: string | null) => {
    const { refusal, key } = await checkHeldCall(dependencies, held);
    const { workspace } = held.accepted;
    if (refusal !== null || sandboxId === null || workspace === null) return refusal;
    try {
      await sandboxesFor(key).find(workspace, sandboxId, { includeDestroyed: true });
      return null;
    } catch (error) {
      if (error instanceof SandgateError) return error;
      throw error;
    }
  };

  /** @returns what ends it */
  const watch = (held: HeldCall, cut: Cut, about: () => string | null) =>
    openCalls.watch({
      key() {
        const { accepted, requestId: _, ...asked } = held;
        const { owner, grantId, workspace } = accepted;
        return JSON.stringify([asked, owner?.sessionId, grantId, workspace?.id, about()]);
      },
      ask: () => stillRefused(held, about()),
      cut,
    });

  const performSafe = async <T>(begun: Begun, run: () => Awaitable<Answered<T>>): Promise<T> => {
    const attempted = attempt(run, begun.call);
    const { answered, ending, thrown } = attempted instanceof Promise ? await attempted : attempted;
    await stored(begun, ledger.record(acceptedRow(begun, ending)));
    if (answered === null) throw thrown;
    return answered.value;
  };

  const performChange = async <T>(begun: Begun, run: () => Awaitable<Answered<T>>): Promise<T> => {
    const id = await stored(begun, ledger.begin(acceptedRow(begun, underWay)));
    const { answered, ending, thrown } = await attempt(run, begun.call);
    await ledger.end({ id, ...ending, durationMs: elapsedMs(begun) });
    if (answered === null) throw thrown;
    return answered.value;
  };

  return {
    async identify(request) {
      const error = await identifyKey(dependencies, request);
      if (error === null) return null;
      const { address } = request;
      const actor = { kind: 'stranger' } as const;
      onRefusal({ actor, address, requestId: null, code: error.code, endpoint: '*' });
      return refuse(error, request.address);
    },
    personOf: (request) => identifyPerson(dependencies, request),
    async perform(call, run) {
      const checked = checkKey(dependencies, call);
      const outcome = checked instanceof Promise ? await checked : checked;
      if (outcome.limits.length > 0) call.onLimits?.(outcome.limits);
      const { key, workspace } = outcome;
      if (outcome.kind === 'refused') {
        const { error } = outcome;
        const { address, requestId } = call;
        onRefusal({
          actor: key === null ? { kind: 'stranger' } : callerActor(key.number),
          address,
          requestId,
          code: error.code,
          endpoint: refusedEndpoint(call, workspace),
          workspaceId: workspace?.id ?? null,
        });
        if (key !== null)
          await ledger.record(refusedRow(call, key, workspace, error, clock.nowMs()));
        throw refuse(error, address);
      }
      let unwatch = (): void => undefined;
      const access: Access = {
        caller: { kind: 'key', key: outcome.key, owner: outcome.owner },
        workspace,
        sandboxes: sandboxesFor(outcome.key),
        limits: outcome.limits,
        watch(cut, about = () => null) {
          unwatch();
          unwatch = watch(heldCall(call, outcome), cut, about);
        },
      };
      // Alerts are about keys.
      if (personNumber(outcome.key.number) === null) {
        dependencies.onAccepted?.(outcome.key.number, call.address);
      }
      const begun: Begun = {
        ...{ call, workspace, keyNumber: outcome.key.number, charged: outcome.charged },
        startedMs: performance.now(),
      };
      const carryOut = call.safe ? performSafe : performChange;
      const context: AuditContext = {
        actor: callerActor(outcome.key.number),
        address: call.address,
        requestId: call.requestId,
      };
      try {
        return await auditAs(context, () => carryOut(begun, () => run(access)));
      } finally {
        unwatch();
      }
    },
  };
}

function heldCall(call: Call, { owner, grantId, workspace }: HeldCall['accepted']): HeldCall {
  const { credential, address, requestId, scope, ownChildren, mcpTool } = call;
  return {
    ...{ credential, address, requestId, scope, workspace: call.workspace },
    ...(ownChildren === undefined ? {} : { ownChildren }),
    ...(mcpTool === undefined ? {} : { mcpTool }),
    accepted: { owner, grantId, workspace },
  };
}

/** What is known of a call when it is accepted. */
interface Begun {
  readonly call: Call;
  readonly keyNumber: number;
  readonly workspace: Workspace | null;
  readonly charged: Charged;
  /** By a clock that is never set. */
  readonly startedMs: number;
}

const elapsedMs = ({ startedMs }: Begun): number => performance.now() - startedMs;

const underWay: Ending = { status: 0, errorCode: null, sandboxId: null };

/** Every field by its name: this is made for each call, and a spread costs several times as much. */
function acceptedRow(begun: Begun, { status, errorCode, sandboxId }: Ending): NewUsageRow {
  const { call, keyNumber, workspace, charged } = begun;
  return {
    keyNumber,
    workspaceId: workspace?.id ?? null,
    requestId: call.requestId,
    method: call.method,
    endpoint: call.endpoint,
    accepted: true,
    atMs: charged.atMs,
    status,
    errorCode,
    durationMs: status === 0 ? 0 : elapsedMs(begun),
    sandboxId,
  };
}

const refusedEndpoint = (call: Call, workspace: Workspace | null): string =>
  workspace === null ? (call.hiddenEndpoint ?? call.endpoint) : call.endpoint;

function refusedRow(
  call: Call,
  key: ApiKey,
  workspace: Workspace | null,
  error: SandgateError,
  atMs: number,
): NewUsageRow {
  return {
    keyNumber: key.number,
    workspaceId: workspace?.id ?? null,
    requestId: call.requestId,
    method: call.method,
    endpoint: refusedEndpoint(call, workspace),
    accepted: false,
    atMs,
    status: call.statusOf(error),
    errorCode: error.code,
    durationMs: 0,
    sandboxId: null,
  };
}

interface Attempted<T> {
  readonly answered: Answered<T> | null;
  readonly ending: Ending;
  readonly thrown: unknown;
}

/** Runs a call, and words how it ended for its usage row, whether or not it threw. */
function attempt<T>(run: () => Awaitable<Answered<T>>, call: Call): Awaitable<Attempted<T>> {
  const failed = (thrown: unknown): Attempted<T> => {
    const error = failureOf(thrown);
    const ending = { status: call.statusOf(error), errorCode: error.code, sandboxId: null };
    return { answered: null, ending, thrown };
  };
  try {
    const running = run();
    return running instanceof Promise ? running.then(ended, failed) : ended(running);
  } catch (thrown) {
    return failed(thrown);
  }
}

function ended<T>(answered: Answered<T>): Attempted<T> {
  const { status, errorCode = null, sandboxId = null } = answered;
  return { answered, ending: { status, errorCode, sandboxId }, thrown: null };
}
