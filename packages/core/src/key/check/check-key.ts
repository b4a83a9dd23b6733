import type { SandgateError } from '../../error/sandgate-error.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import type { ApiKey } from '../api-key.ts';
import type { Check, CheckDependencies, CheckRequest, CheckStep } from './check.ts';
import { checkAddress } from './check-address.ts';
import { checkScope } from './check-scope.ts';
import { digestCredential } from './digest-credential.ts';
import { lookUpKey } from './look-up-key.ts';
import { parseCredential } from './parse-credential.ts';
import { recordUse } from './record-use.ts';
import { refuseDeadKey } from './refuse-dead-key.ts';
import { resolveWorkspace } from './resolve-workspace.ts';

/** Who is calling: decided by the headers alone. */
const identifySteps: readonly CheckStep[] = [
  parseCredential,
  digestCredential,
  lookUpKey,
  refuseDeadKey,
  checkAddress,
];

/** The whole check, in its order. A refusal in any step leaves no trace in the steps after it. */
const checkSteps: readonly CheckStep[] = [
  ...identifySteps,
  resolveWorkspace,
  checkScope,
  recordUse,
];

export type CheckOutcome =
  | { readonly kind: 'accepted'; readonly key: ApiKey; readonly workspace: Workspace | null }
  | { readonly kind: 'refused'; readonly error: SandgateError; readonly key: ApiKey | null };

async function walk(steps: readonly CheckStep[], check: Check): Promise<SandgateError | null> {
  for (const step of steps) {
    const result = step(check);
    const refusal = result instanceof Promise ? await result : result;
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
  workspace: null,
});

/**
 * Decides about one call. Made after the request's body was read, so that a key revoked while a
 * slow body arrives is refused.
 */
export async function checkKey(
  dependencies: CheckDependencies,
  request: CheckRequest,
): Promise<CheckOutcome> {
  const check = newCheck(dependencies, request);
  const error = await walk(checkSteps, check);
  if (error !== null) return { kind: 'refused', error, key: check.key };
  if (check.key === null) throw new Error('A check was accepted without a key.');
  return { kind: 'accepted', key: check.key, workspace: check.workspace };
}

/** Whether a credential is worth reading a body for. Never enough to act on. */
export async function identifyKey(
  dependencies: CheckDependencies,
  request: Pick<CheckRequest, 'credential' | 'address'>,
): Promise<SandgateError | null> {
  return await walk(
    identifySteps,
    newCheck(dependencies, { ...request, workspace: { kind: 'own' }, scope: 'sandbox:read' }),
  );
}
