import type { ServerResponse } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { HeaderValues } from './authorize/read-credential.ts';

/** What the Node adapter and our first middleware put on every request. */
export interface Environment {
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    /** Headers of the answer, where it does not leave by a socket. */
    headers?: [name: string, value: string][];
  };
}

export type App = Hono<Environment>;
export type RequestContext = Context<Environment>;

/** Node's own request. Undefined where a request came by no socket: hono then has no bindings at all. */
export function incomingOf(context: RequestContext): HttpBindings['incoming'] | undefined {
  const env: Partial<HttpBindings> | undefined = context.env;
  return env?.incoming;
}

/** Node's own answer. Undefined where one leaves by no socket. */
export function outgoingOf(context: RequestContext): ServerResponse | undefined {
  const env: { readonly outgoing?: HttpBindings['outgoing'] } | undefined = context.env;
  return env?.outgoing as ServerResponse | undefined;
}

/** The peer's IP address; empty where a request came by no socket, as in a test. */
export function peerAddress(context: RequestContext): string {
  return incomingOf(context)?.socket.remoteAddress ?? '';
}

/**
 * The path of a request as it was sent, without its query: nothing decoded, and no `..` resolved.
 * Where a request came by no socket, it is resolved already.
 */
export function requestPath(context: RequestContext): string {
  const target = incomingOf(context)?.url;
  const path = target?.startsWith('/') ? target : new URL(context.req.url).pathname;
  return path.split('?', 1)[0] ?? '';
}

/**
 * All values of a header. Node keeps only the first of two `Authorization` headers in its parsed
 * form, and what is in front of Sandgate may have looked at the second: so the raw list is read.
 */
export function headerValues(context: RequestContext): HeaderValues {
  const raw = incomingOf(context)?.rawHeaders;
  return (name) => {
    if (raw === undefined) {
      const value = context.req.header(name);
      return value === undefined ? [] : [value];
    }
    return rawHeaderValues(raw, name);
  };
}

export const hasRawHeader = (raw: readonly string[], name: string): boolean =>
  rawHeaderValues(raw, name).length > 0;

/** All values of a header, in a list of names and values as Node reads them. */
export function rawHeaderValues(raw: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const given = raw[index] ?? '';
    // Most differ in length, and are not worth a copy in lower case.
    if (given.length === name.length && given.toLowerCase() === name)
      values.push(raw[index + 1] ?? '');
  }
  return values;
}

/** What every answer to a request is given, whatever comes of it. */
export const answerTo = (context: RequestContext) => ({
  requestId: context.get('requestId'),
  setHeader: (name: string, value: string): void => setResponseHeader(context, name, value),
});

/**
 * Sets a header of the answer, whoever makes it later. Straight on Node's response where there is
 * one: to add headers to a finished `Response` costs more than all other work on a small call.
 */
export function setResponseHeader(context: RequestContext, name: string, value: string): void {
  const env: Partial<HttpBindings> | undefined = context.env;
  if (env?.outgoing !== undefined) {
    if (!env.outgoing.headersSent) env.outgoing.setHeader(name, value);
    return;
  }
  const headers = context.get('headers') ?? [];
  headers.push([name, value]);
  context.set('headers', headers);
}
