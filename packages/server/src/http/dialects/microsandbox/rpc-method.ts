import {
  type DoorSandboxes,
  type KernelRunRequest,
  requireName,
  SandgateError,
  type Scope,
  type Workspace,
  type WorkspaceSelector,
} from '@sandgate/core';
import { z } from 'zod';
import type { OutputAllowance } from '../../output-budget.ts';
import type { OutputLines } from './output-lines.ts';

export interface RpcContext {
  /** Where what a command writes is collected. */
  readonly newOutput: () => Pick<OutputLines, 'push' | 'finish'>;
  /** Where values that code shows go. Absent: the last one is echoed as text. */
  readonly onResult?: KernelRunRequest['onResult'];
  /** What the answer may hold beside output of programs. Absent: the method holds nothing else. */
  readonly output?: Pick<OutputAllowance, 'take'>;
  /** The workspace that was authorised; null when the call is about all of them. */
  readonly workspace: Workspace | null;
  readonly sandboxes: DoorSandboxes;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export interface RpcOutcome {
  readonly result: unknown;
  /** The sandbox that the call was about, for its usage row. */
  readonly sandboxId?: string;
}

/** One JSON-RPC method: what it takes, which scope it needs, and what it does. */
export interface RpcMethod<Params = unknown> {
  readonly scope: Scope;
  /** Reads only: see `Call.safe`. */
  readonly safe: boolean;
  readonly params: z.ZodType<Params>;
  /** Which workspace these params are about. The only place where a namespace is read. */
  readonly workspace: (params: Params) => WorkspaceSelector;
  readonly run: (params: Params, context: RpcContext) => Promise<RpcOutcome>;
}

/** A method ready to be called with anything that a client sent. */
export interface PreparedCall {
  readonly scope: Scope;
  readonly safe: boolean;
  readonly workspace: WorkspaceSelector;
  readonly run: (context: RpcContext) => Promise<RpcOutcome>;
}

/** @throws SandgateError `invalid_request` that names the violations */
export function prepareCall<Params>(
  name: string,
  method: RpcMethod<Params>,
  params: unknown,
): PreparedCall {
  const parsed = method.params.safeParse(params ?? {});
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap(describeIssue);
    const more = problems.length - maxProblems;
    const text = problems.slice(0, maxProblems).join('; ');
    throw new SandgateError(
      'invalid_request',
      `Invalid params for ${name}: ${text}${more > 0 ? `; and ${more} more` : ''}`,
    );
  }
  return {
    scope: method.scope,
    safe: method.safe,
    workspace: method.workspace(parsed.data),
    run: (context) => method.run(parsed.data, context),
  };
}

/** A request can be wrong in as many places as it has bytes. */
const maxProblems = 10;
const maxNameCharacters = 128;

const shortened = (name: string): string =>
  name.length > maxNameCharacters ? `${name.slice(0, maxNameCharacters)}…` : name;

function describeIssue(issue: z.core.$ZodIssue): readonly string[] {
  const path = shortened(issue.path.join('.'));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `unknown field \`${shortened([...issue.path, key].join('.'))}\``,
    );
  }
  if (issue.code === 'invalid_type' && issue.message === 'missing') {
    return [`missing field \`${path}\``];
  }
  return [path === '' ? issue.message : `${path}: ${issue.message}`];
}

/** A string that must be there. */
export const requiredString = z.string({
  error: (issue) => (issue.input === undefined ? 'missing' : 'expected a string'),
});

export const namespaceName = z.string().nullish();

/** Whole seconds. */
export const timeoutSeconds = z
  .number({ error: 'expected a whole number of seconds' })
  .int('expected a whole number of seconds')
  .min(1, 'must be at least 1 second')
  .max(86_400, 'must be at most 86400 seconds')
  .nullish();

/** The workspace of a call about one sandbox. @throws SandgateError `invalid_request` */
export function selectNamespace(
  namespace: string | null | undefined,
  { create = false }: { readonly create?: boolean } = {},
): WorkspaceSelector {
  if (namespace === undefined || namespace === null) return { kind: 'own' };
  if (namespace === '*') {
    throw new SandgateError(
      'invalid_request',
      'Wildcard namespace (*) is not valid for sandbox creation',
    );
  }
  return { kind: 'named', slug: requireName('Namespace', namespace), create };
}

/** The one workspace of a call that cannot be about all of them. */
export function requireWorkspace({ workspace }: RpcContext): Workspace {
  if (workspace !== null) return workspace;
  throw new SandgateError('invalid_request', 'This method works in one namespace');
}
