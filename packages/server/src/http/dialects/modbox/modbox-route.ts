import type { AuditedChange, KeyOwner, Scope } from '@sandgate/core';
import { SandgateError } from '@sandgate/core';
import { z } from 'zod';
import type { Access } from '../../authorize/authorizer.ts';
import type { IdentityServices } from '../../identity-services.ts';

export interface ModboxContext extends IdentityServices {
  readonly requestId: string;
  /** The peer's IP address. */
  readonly address: string;
  /** What the client calls itself. */
  readonly agent: string;
  /** The request's `Cookie` header; empty when there is none. */
  readonly cookies: string;
  /** Segments of the path, by name. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

export interface AuthorisedModboxContext extends ModboxContext {
  readonly access: Access;
  /** For the record of the change. */
  readonly change: AuditedChange;
}

interface RouteShape {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Without the door's own prefix, with `{names}`. Taken with a slash at its end, too. */
  readonly path: `/${string}`;
  /** 200 unless given. */
  readonly status?: 200 | 201;
}

/** What is checked before a route runs. */
interface Guard {
  /** A scope, `any key` for what every caller may do, or `user` for who has logged in. */
  readonly access: Scope | 'any key' | 'user';
  /** Which workspace it is about: the one in the path, or else the header's or the caller's own. */
  readonly workspace: 'path' | 'header';
  /** What the audit calls the change, as in `member.add`. Null: it changes nothing. */
  readonly audit: string | null;
}

export type ModboxRoute = RouteShape & {
  /** Null for a route that takes no body. */
  readonly body: z.ZodType | null;
} & (
    | {
        readonly access: 'public';
        readonly run: (body: unknown, context: ModboxContext) => Promise<unknown>;
      }
    | (Guard & {
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
    Guard & {
      readonly body?: Body;
      readonly run: (body: z.output<Body>, context: AuthorisedModboxContext) => Promise<unknown>;
    },
): ModboxRoute {
  const { run, body = null, ...shape } = route;
  return {
    ...shape,
    body,
    run: (value: unknown, context: AuthorisedModboxContext) =>
      run(value as z.output<Body>, context),
  };
}

/** A person who has logged in. */
type LoggedIn = KeyOwner & { readonly sessionId: string };

/**
 * The person who calls with an access token. A key of theirs is not enough for what is about the
 * account: it may be given less than they have, and must not be able to get more.
 * @throws SandgateError `user_required`
 */
export function requirePerson({ access: { caller } }: AuthorisedModboxContext): LoggedIn {
  const owner = caller.kind === 'key' ? caller.owner : null;
  if (owner?.sessionId != null) return { ...owner, sessionId: owner.sessionId };
  throw new SandgateError(
    'user_required',
    'This is about an account: log in, and send the access token',
  );
}

/** Text as these clients send it: what is left out and null are the same. */
export const optionalText = (most: number) =>
  z
    .string()
    .max(most)
    .nullish()
    .transform((text) => text ?? undefined);
