import { resourceIdOf, uuidOf } from '../sandboxes/resource-uuid.ts';

/** How sandboxes are reached from outside. */
export interface SandboxUrlSettings {
  /** The server's own address, as in `https://sandgate.example`. Null: as each client calls it. */
  readonly publicUrl: string | null;
  /** Of sandboxes with host names of their own, as in `https://*.box.example`. Null: they have none. */
  readonly wildcardUrl: string | null;
}

/** What a request to a sandbox's own URL names. */
export interface SandboxAddress {
  /** Null: no sandbox has such an address. */
  readonly sandboxId: string | null;
  /** What stands before the paths of the sandbox. Empty: it has a host name of its own. */
  readonly prefix: string;
  /** Of the host name, which is then about that port alone. */
  readonly port: number | null;
}

const pathForm = /^\/modbox\/s\/([0-9A-Fa-f-]{36})(?=\/|$)/;
const labelForm = /^(?:(\d{1,5})-)?([0-9a-f]{24})$/;

/** `requestUrl`: of the request that asks for it. */
export function sandboxUrlOf(
  { publicUrl, wildcardUrl }: SandboxUrlSettings,
  sandboxId: string,
  requestUrl: string,
): string {
  if (wildcardUrl !== null) return wildcardUrl.replace('*', sandboxId);
  const base = publicUrl?.replace(/\/$/, '') ?? new URL(requestUrl).origin;
  return `${base}/modbox/s/${uuidOf(sandboxId)}`;
}

/** `rawPath`: as it was sent. Null for a request that is to no sandbox's URL. */
export function sandboxAddressOf(
  { wildcardUrl }: SandboxUrlSettings,
  host: string,
  rawPath: string,
): SandboxAddress | null {
  const label = wildcardUrl === null ? null : labelUnder(wildcardUrl, host);
  const named = label === null ? null : labelForm.exec(label);
  if (named !== null) {
    const [, port, sandboxId = null] = named;
    return { sandboxId, prefix: '', port: port === undefined ? null : Number(port) };
  }
  const found = pathForm.exec(rawPath);
  if (found === null) return null;
  const [prefix, uuid = ''] = found;
  return { sandboxId: resourceIdOf(uuid), prefix, port: null };
}

/** The port of the host is left out: a proxy in front may listen on another one. */
function labelUnder(wildcardUrl: string, host: string): string | null {
  const domain = new URL(wildcardUrl.replace('*', 'any')).hostname.slice('any'.length);
  const hostname = host.toLowerCase().replace(/:\d+$/, '');
  return hostname.endsWith(domain) ? hostname.slice(0, -domain.length) : null;
}
