import { SandgateError } from '@sandgate/core';
import { execAction } from './exec.ts';
import { reachHostPortAction, reachPortAction } from './reach-port.ts';
import type { SandboxAction } from './sandbox-action.ts';
import type { SandboxAddress } from './sandbox-url.ts';
import { uploadFileAction } from './upload-file.ts';
import { deleteFileAction, downloadFileAction, listFilesAction } from './uploaded-files.ts';

/** In the order in which they are looked at: a name could be `upload`. */
const apiActions: readonly SandboxAction[] = [
  execAction,
  uploadFileAction,
  listFilesAction,
  downloadFileAction,
  deleteFileAction,
];

export interface ActionMatch {
  readonly action: SandboxAction;
  readonly params: Readonly<Record<string, string>>;
  /** Behind what the action itself names, beginning with a slash. */
  readonly rest: string;
}

/**
 * What a request to a sandbox's URL asks for. `path`: below the prefix, as it was sent.
 * @throws SandgateError `not_found`, `method_not_allowed`
 */
export function matchAction(address: SandboxAddress, method: string, path: string): ActionMatch {
  const whole = path === '' ? '/' : path;
  if (address.port !== null) return { action: reachHostPortAction, params: {}, rest: whole };
  if (!whole.startsWith('/modbox/api/')) {
    return (
      tryMatch(reachPortAction, whole) ?? { action: reachHostPortAction, params: {}, rest: whole }
    );
  }
  const matches = apiActions.flatMap((action) => tryMatch(action, whole.replace(/\/$/, '')) ?? []);
  const wanted = method === 'HEAD' ? 'GET' : method;
  const match = matches.find(({ action }) => action.method === wanted);
  if (match !== undefined) return match;
  if (matches.length === 0) throw new SandgateError('not_found', 'Not Found');
  const allow = [...new Set(matches.map(({ action }) => action.method))].join(', ');
  throw new SandgateError('method_not_allowed', 'Method Not Allowed', { data: { allow } });
}

function tryMatch(action: SandboxAction, path: string): ActionMatch | null {
  const isOpen = action.path.endsWith('/**');
  const wanted = action.path.replace(/\/\*\*$/, '').split('/');
  const given = path.split('/');
  if (isOpen ? given.length < wanted.length : given.length !== wanted.length) return null;
  const params: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    const text = given[at] ?? '';
    if (name === undefined && segment !== text) return null;
    if (name !== undefined) params[name] = decoded(text);
  }
  return { action, params, rest: `/${given.slice(wanted.length).join('/')}` };
}

/** What cannot be decoded names nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
