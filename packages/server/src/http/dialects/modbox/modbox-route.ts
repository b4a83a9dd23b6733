import type { AuditedChange, Grantor, SandgateError, Scope, TextSealer } from '@sandgate/core';
import { z } from 'zod';
import type { Access } from '../../authorize/authorizer.ts';
import type { CallLimit } from '../../call-limit.ts';
import type { IdentityServices } from '../../identity-services.ts';
import type { PeopleContext } from '../../people/people-context.ts';
import type { SandboxUrlSettings } from './sandbox-url/sandbox-url.ts';
import type { SandboxReference } from './sandboxes/sandbox-reference.ts';

/** What the handlers of this door need of the server. */
export interface ModboxServices extends IdentityServices {
  /** Calls in progress. */
  readonly calls: CallLimit;
  readonly sandboxUrls: SandboxUrlSettings;
  /** What a key may at most. */
  readonly limitsOf: Grantor['limitsOf'];
  /** For the passwords of registries. */
  readonly sealer: TextSealer;
}

export interface ModboxContext extends ModboxServices, PeopleContext {
  /** The request's `Cookie` header; empty when there is none. */
  readonly cookies: string;
  /** Segments of the path, by name. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The whole address that was asked. */
  readonly url: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export interface AuthorisedModboxContext extends ModboxContext {
  readonly access: Access;
  /** For the record of the change. */
  readonly change: AuditedChange;
  /** Says which sandbox the call is about, for its usage row. */
  readonly about: (sandboxId: string) => void;
}

interface RouteShape {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Without the door's own prefix, with `{names}`. Taken with a slash at its end, too. */
  readonly path: `/${string}`;
  /** 200 unless given. */
  readonly status?: 200 | 201;
}

/** What is checked before a route runs. */
interface Guard<Body> {
  /** A scope, `any key` for what every caller may do, or `user` for who has logged in. */
  readonly access: Scope | 'any key' | 'user';
  /**
   * Which workspace it is about: the one in the path, or else the header's, or else that of the caller's
   * own which has the `sandbox`, or else the caller's own.
   */
  readonly workspace: 'path' | 'header' | 'sandbox';
  /** The sandbox that a request is about, where that says which workspace is meant. */
  readonly sandbox?: (body: Body, params: ModboxContext['params']) => SandboxReference;
  /** What the audit calls the change, as in `member.add`. Null: it changes nothing, or records itself. */
  readonly audit: string | null;
  /** Changes nothing. As `audit` says unless given. */
  readonly safe?: boolean;
  /** Body of a 200 that tells of a failure. Null for a failure that has a status. */
  readonly failure?: (error: SandgateError) => object | null;
}

export type ModboxRoute = RouteShape & {
  /** Null for a route that takes no body. */
  readonly body: z.ZodType | null;
  /** 64 KiB unless given. */
  readonly maxBodyBytes?: number;
} & (
    | {
        readonly access: 'public';
        readonly run: (body: unknown, context: ModboxContext) => Promise<unknown>;
      }
    | (Guard<unknown> & {
        readonly run: (body: unknown, context: AuthorisedModboxContext) => Promise<unknown>;
      })
  );

/** Declares a route for strangers. */
export function defineModboxDoor<Body extends z.ZodType = z.ZodUndefined>(
  route: RouteShape & {
    readonly body?: Body;
    readonly run: (body: z.output<Body>, context: ModboxContext) => Promise<unknown>;
  },
): ModboxRoute {
  const { run, body = null, ...shape } = route;
  return {
    ...shape,
    access: 'public',
    body,
    run: (value, context) => run(value as z.output<Body>, context),
  };
}

/** Declares a route for keys and people. Without a declared access it does not compile. */
export function defineModboxRoute<Body extends z.ZodType = z.ZodUndefined>(
  route: RouteShape &
    Guard<z.output<Body>> & {
      readonly body?: Body;
      readonly maxBodyBytes?: number;
      readonly run: (body: z.output<Body>, context: AuthorisedModboxContext) => Promise<unknown>;
    },
): ModboxRoute {
  const { run, sandbox, body = null, ...shape } = route;
  return {
    ...shape,
    body,
    ...(sandbox === undefined
      ? {}
      : { sandbox: (value, params) => sandbox(value as z.output<Body>, params) }),
    run: (value: unknown, context: AuthorisedModboxContext) =>
      run(value as z.output<Body>, context),
  };
}

/** Text as these clients send it: what is left out and null are the same. */
export const optionalText = (most: number) =>
  z
    .string()
    .max(most)
    .nullish()
    .transform((text) => text ?? undefined);
