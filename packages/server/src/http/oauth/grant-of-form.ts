import {
  type KeyRestrictions,
  ownServerName,
  SandgateError,
  type Scope,
  sandboxScopes,
} from '@sandgate/core';
import { serverOf } from './describe-program.ts';

const dayMs = 24 * 3_600_000;

/** What a person chose to allow. */
export interface ChosenGrant {
  readonly workspace: string;
  readonly scopes: readonly Scope[];
  readonly restrictions: KeyRestrictions;
  readonly lifetimeMs: number;
}

/** @throws SandgateError `invalid_request` */
export function grantOfForm(
  form: URLSearchParams,
  resource: string,
  mostDays: number,
): ChosenGrant {
  const days = wholeNumber(form, 'days', 'Days until it has to ask again');
  if (days === null || days > mostDays) {
    throw new SandgateError('invalid_request', `Days until it has to ask again: 1 to ${mostDays}`);
  }
  return {
    workspace: form.get('workspace') ?? '',
    lifetimeMs: days * dayMs,
    ...(resource === '/mcp' ? ownTools(form) : toolsOf(serverOf(resource), form)),
  };
}

type Rights = Pick<ChosenGrant, 'scopes' | 'restrictions'>;

function ownTools(form: URLSearchParams): Rights {
  const prefix = (form.get('name_prefix') ?? '').trim();
  const most = wholeNumber(form, 'max_sandboxes', 'How many sandboxes at once');
  return {
    scopes: [...sandboxScopes, 'mcp:call'],
    restrictions: {
      mcpTools: patterns(ownServerName, form.getAll('tool')),
      ...(prefix === '' ? {} : { sandboxNamePrefix: prefix }),
      ...(most === null ? {} : { maxSandboxes: most }),
    },
  };
}

function toolsOf(server: string, form: URLSearchParams): Rights {
  const lines = (form.get('tool_patterns') ?? '').split('\n').map((line) => line.trim());
  return { scopes: ['mcp:call'], restrictions: { mcpTools: patterns(server, lines) } };
}

function patterns(server: string, tools: readonly string[]): readonly string[] {
  const named = tools.filter((tool) => tool !== '').map((tool) => `${server}/${tool}`);
  if (named.length > 0) return named;
  throw new SandgateError('invalid_request', 'Tools: choose one at least, or refuse the program');
}

function wholeNumber(form: URLSearchParams, name: string, title: string): number | null {
  const text = (form.get(name) ?? '').trim();
  if (text === '') return null;
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new SandgateError('invalid_request', `${title}: must be a whole number, 1 or more`);
}
