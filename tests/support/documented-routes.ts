import { scopes } from '@sandgate/core';

/** A route as the OpenAPI document has it. */
export interface DocumentedRoute {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  /** A scope, `any key`, `person` or `public`; anything else when the document says nothing. */
  readonly access: unknown;
  /** `key:mint` opens it as well, for the caller's own descendants. */
  readonly ownChildren: boolean;
  /** Further scopes that it needs. */
  readonly alsoNeeds: readonly string[];
  /** Only a key of all workspaces may call it. */
  readonly operatorOnly: boolean;
  readonly statuses: readonly number[];
  readonly success: number;
  /** Where it reads a workspace's name, beside the header. */
  readonly workspaceIn: { readonly path: boolean; readonly query: boolean; readonly body: boolean };
  /** In JSON. */
  readonly hasBody: boolean;
  /** It reads no query, and any method is taken. */
  readonly forwards: boolean;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: {
    readonly content: {
      readonly 'application/json'?: {
        readonly schema: { readonly properties?: Readonly<Record<string, unknown>> };
      };
    };
  };
  readonly 'x-required-scope'?: unknown;
  readonly 'x-own-children-scope'?: unknown;
  readonly 'x-also-required-scopes'?: readonly string[];
  readonly 'x-operator-only'?: boolean;
  readonly 'x-any-method'?: boolean;
}

export type OpenApiPaths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** Every route of an OpenAPI document. */
export function documentedRoutes(paths: OpenApiPaths): readonly DocumentedRoute[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const statuses = Object.keys(operation.responses).map(Number);
      const { parameters = [], requestBody } = operation;
      const fields = requestBody?.content['application/json']?.schema.properties ?? {};
      return {
        operationId: operation.operationId,
        method: method.toUpperCase(),
        path,
        access: operation['x-required-scope'],
        ownChildren: operation['x-own-children-scope'] === 'key:mint',
        alsoNeeds: operation['x-also-required-scopes'] ?? [],
        operatorOnly: operation['x-operator-only'] === true,
        statuses,
        success: statuses.find((status) => [200, 204].includes(status)) ?? statuses[0] ?? 0,
        workspaceIn: {
          path: path.includes('{workspace}'),
          query: parameters.some((each) => each.in === 'query' && each.name === 'workspace'),
          body: 'workspace' in fields,
        },
        hasBody: requestBody?.content['application/json'] !== undefined,
        forwards: operation['x-any-method'] === true,
      };
    }),
  );
}

const accesses: readonly unknown[] = [...scopes, 'any key', 'person', 'public'];

/** Why a matrix over these routes would be incomplete. */
export function gapsOf(
  routes: readonly DocumentedRoute[],
  samples: Readonly<Record<string, unknown>>,
): readonly string[] {
  return [
    ...routes
      .filter(({ access }) => !accesses.includes(access))
      .map(({ method, path }) => `${method} ${path} does not declare who may call it`),
    ...routes
      .filter(({ operationId }) => !Object.hasOwn(samples, operationId))
      .map(({ method, path }) => `${method} ${path} has no sample request`),
    ...Object.keys(samples)
      .filter((name) => !routes.some(({ operationId }) => operationId === name))
      .map((name) => `the sample of ${name} belongs to no route`),
  ];
}
