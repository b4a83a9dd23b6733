import type { ServerResponse } from 'node:http';
import type { DoorSandboxes, Sandbox, Scope, Workspace } from '@sandgate/core';
import type { OutputBudget } from '../../../output-budget.ts';
import type { OutputPace } from '../../../output-pace.ts';
import type { ClientRequest } from '../../../port-proxy/client-request.ts';
import type { SandboxAddress } from './sandbox-url.ts';

export interface SandboxActionContext {
  readonly sandbox: Sandbox;
  readonly workspace: Workspace;
  /** Those that the caller may touch. */
  readonly sandboxes: DoorSandboxes;
  readonly address: SandboxAddress;
  readonly request: Request;
  /** To be passed on: its body can be read there, or of `request`, and not of both. */
  readonly client: () => ClientRequest;
  /** As it was sent, with its question mark, or empty. */
  readonly query: string;
  readonly signal: AbortSignal;
  /** Segments of the path, by name, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The path behind the action's own, as it was sent. */
  readonly rest: string;
  readonly held: OutputBudget;
  readonly pace: OutputPace;
  /** Node's own answer. Undefined where it leaves by no socket, as in a test. */
  readonly outgoing: ServerResponse | undefined;
  /** Answers now, by a body that is still being written. */
  readonly respond: (response: Response) => void;
}

/** Something that a sandbox's own URL does. */
export interface SandboxAction {
  /** Null: any. */
  readonly method: 'GET' | 'POST' | 'DELETE' | null;
  /** With `{names}`; one that ends with `/**` takes whatever follows. */
  readonly path: `/${string}`;
  readonly scope: Scope;
  /** The answer's fields, a response, or null after `respond`. @throws SandgateError */
  readonly run: (context: SandboxActionContext) => Promise<object | Response | null>;
}
