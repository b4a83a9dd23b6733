import type { SandgateError } from '../../error/sandgate-error.ts';
import type { WindowState } from '../../limit/limit-window.ts';
import type { Awaitable } from '../../port/awaitable.ts';
import type { Charged } from '../../port/counters.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import type { ApiKey } from '../api-key.ts';
import { actAsOwner } from './act-as-owner.ts';
import { chargeLimits } from './charge-limits.ts';
import type { Check, CheckDependencies, CheckRequest, CheckStep, KeyOwner } from './check.ts';
import { checkAddress } from './check-address.ts';
import { checkScope } from './check-scope.ts';
import { checkTool } from './check-tool.ts';
import { digestCredential } from './digest-credential.ts';
import { lookUpKey } from './look-up-key.ts';
import { parseCredential } from './parse-credential.ts';
import { refuseDeadKey } from './refuse-dead-key.ts';
import { accessDenied, createWorkspace, resolveWorkspace } from './resolve-workspace.ts';
import {
  looksLikeAccessToken,
  showGrant,
  takeSession,
  verifyAccessToken,
} from './verify-access-token.ts';

const readKeySteps: readonly CheckStep[] = [
  digestCredential,
  lookUpKey,
  refuseDeadKey,
  checkAddress,
];

/** Who is calling: decided by the headers alone. */
const keySteps: readonly CheckStep[] = [parseCredential, ...readKeySteps];

const readGrantSteps = readKeySteps.map(
  (step): CheckStep =>
    (check) =>
      check.grantId === null ? null : step(check),
);

/** The same of an access token: of a session, or of a grant, which has a key. */
const tokenSteps: readonly CheckStep[] = [verifyAccessToken, ...readGrantSteps];

/** What whoever it is may do. */
const rightSteps: readonly CheckStep[] = [actAsOwner, resolveWorkspace, checkScope, checkTool];

/**
 * The rest of the check, in its order. A refusal in any step leaves no trace in the steps after it: only a
 * call that passes everything else is charged. Who carries the call out records it, and answers when
 * the record is committed.
 */
const permitSteps: readonly CheckStep[] = [...rightSteps, chargeLimits, createWorkspace];

const keyCheckSteps = [...keySteps, ...permitSteps];
const tokenCheckSteps = [...tokenSteps, ...permitSteps];

export type CheckOutcome =
  | {
      readonly kind: 'accepted';
      readonly key: ApiKey;
      readonly owner: KeyOwner | null;
      /** Of the grant of OAuth that the call came by. */
      readonly grantId: string | null;
      readonly workspace: Workspace | null;
      readonly limits: readonly WindowState[];
      /** For its record: limits that are read again from the records must stand as they did. */
      readonly charged: Charged;
    }
  | {
      readonly kind: 'refused';
      readonly error: SandgateError;
      /** Null when no key was found, or it is dead: then nobody is to be told or charged. */
      readonly key: ApiKey | null;
      readonly workspace: Workspace | null;
      readonly limits: readonly WindowState[];
    };

/** Without waiting as far as every step knows its answer at once. */
function walk(
  steps: readonly CheckStep[],
  check: Check,
  first = 0,
): Awaitable<SandgateError | null> {
  for (let index = first; index < steps.length; index += 1) {
    const refusal = steps[index]?.(check) ?? null;
    if (refusal instanceof Promise) {
      return refusal.then((late) => late ?? walk(steps, check, index + 1));
    }
    if (refusal !== null) return refusal;
  }
  return null;
}

const newCheck = (dependencies: CheckDependencies, request: CheckRequest): Check => ({
  request,
  dependencies,
  parsed: null,
  digest: null,
  key: null,
  secret: null,
  grantId: null,
  ancestors: [],
  owner: null,
  workspace: null,
  newSlug: null,
  limits: [],
  charged: null,
});

/**
 * Decides about one call. Made after the request's body was read, so that a key revoked while a
 * slow body arrives is refused.
 */
export function checkKey(
  dependencies: CheckDependencies,
  request: CheckRequest,
): Awaitable<CheckOutcome> {
  const check = newCheck(dependencies, request);
  const steps = looksLikeAccessToken(request.credential) ? tokenCheckSteps : keyCheckSteps;
  try {
    const walked = walk(steps, check);
    if (!(walked instanceof Promise)) return outcomeOf(check, walked);
    return walked.then(
      (error) => outcomeOf(check, error),
      (failure) => giveBack(check, failure),
    );
  } catch (failure) {
    return giveBack(check, failure);
  }
}

/** A call that fails between its charge and its beginning is not recorded, and so not charged. */
function giveBack({ charged, dependencies }: Check, failure: unknown): never {
  if (charged !== null) dependencies.counters.forget(charged);
  throw failure;
}

function outcomeOf(check: Check, error: SandgateError | null): CheckOutcome {
  const { workspace, limits, grantId } = check;
  if (error !== null) {
    const key = error.code === 'credential_invalid' ? null : check.key;
    return { kind: 'refused', error, key, workspace, limits };
  }
  if (check.key === null) throw new Error('A check was accepted without a key.');
  const charged = check.charged ?? { atMs: check.dependencies.clock.nowMs(), keyNumbers: [] };
  const owner = check.owner?.role == null ? null : { ...check.owner, role: check.owner.role };
  return { kind: 'accepted', key: check.key, owner, grantId, workspace, limits, charged };
}

/** An accepted call that goes on, as a stream or an open connection. */
export interface HeldCall extends CheckRequest {
  /** What it was accepted as. */
  readonly accepted: Pick<
    Extract<CheckOutcome, { kind: 'accepted' }>,
    'owner' | 'grantId' | 'workspace'
  >;
}

/**
 * Whether a held call would be accepted again: everything is looked at but the limits, and nothing is
 * charged. An access token may have expired since; its session or grant has to live. The workspace is the
 * one that it was, also under a new name.
 */
export async function checkHeldCall(
  dependencies: CheckDependencies,
  { accepted: { owner, grantId, workspace }, ...request }: HeldCall,
): Promise<
  | { readonly refusal: SandgateError; readonly key: null }
  | { readonly refusal: null; readonly key: ApiKey }
> {
  const now =
    workspace === null ? null : await dependencies.storage.workspaces.findById(workspace.id);
  const check = newCheck(dependencies, {
    ...request,
    ...(workspace === null ? {} : { workspace: { kind: 'named', slug: now?.slug ?? '' } }),
  });
  const refusal = await walk([...whoSteps(owner, grantId), ...rightSteps], check);
  if (refusal !== null) return { refusal, key: null };
  if (check.key === null || check.workspace?.id !== workspace?.id) {
    return { refusal: accessDenied(), key: null };
  }
  return { refusal: null, key: check.key };
}

function whoSteps(owner: KeyOwner | null, grantId: string | null): readonly CheckStep[] {
  if (grantId !== null) {
    const show: CheckStep = (check) => {
      showGrant(check, grantId);
      return null;
    };
    return [show, ...readKeySteps];
  }
  const sessionId = owner?.sessionId ?? null;
  if (owner === null || sessionId === null) return keySteps;
  return [(check) => takeSession(check, { sessionId, userId: owner.user.id })];
}

type Shown = Pick<CheckRequest, 'credential' | 'address' | 'resource'>;

async function identify(dependencies: CheckDependencies, shown: Shown) {
  const check = newCheck(dependencies, {
    ...shown,
    requestId: '',
    workspace: { kind: 'own' },
    scope: 'sandbox:read',
  });
  const steps = looksLikeAccessToken(shown.credential) ? tokenSteps : keySteps;
  return { refusal: await walk(steps, check), key: check.key };
}

/** Whether a credential is worth reading a body for. Never enough to act on. */
export async function identifyKey(
  dependencies: CheckDependencies,
  shown: Shown,
): Promise<SandgateError | null> {
  return (await identify(dependencies, shown)).refusal;
}

/**
 * Id of the person as whom a credential acts wherever they are a member; null for every other one.
 * Never enough to act on: what they may do there is for the check of the call.
 */
export async function identifyPerson(
  dependencies: CheckDependencies,
  shown: Shown,
): Promise<string | null> {
  const { refusal, key } = await identify(dependencies, shown);
  return refusal === null && key?.followsOwner === true ? key.ownerId : null;
}
