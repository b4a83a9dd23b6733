import { resolve } from 'node:path';

/** A configuration before it is checked. */
export type RawConfig = Record<string, unknown>;

/** Settings on the command line of `msb server start`, as typed. */
export interface ConfigFlags {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
}

interface Override {
  /** Where the value goes, as in `log.level`. */
  readonly key: string;
  readonly variable: string;
  readonly flag?: keyof ConfigFlags;
  /** What is typed is text; what the configuration wants may be something else. */
  readonly convert?: (text: string) => unknown;
}

/** A text that is no number stays what it is, for the check to refuse. */
const toNumber = (text: string): unknown =>
  /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text;
const toAbsolutePath = (text: string): unknown => resolve(text);

/** The settings that the environment and the command line can override. A flag beats a variable. */
export const configOverrides: readonly Override[] = [
  { key: 'host', variable: 'SANDGATE_HOST', flag: 'host' },
  { key: 'port', variable: 'SANDGATE_PORT', flag: 'port', convert: toNumber },
  { key: 'log.level', variable: 'SANDGATE_LOG_LEVEL', flag: 'logLevel' },
  { key: 'log.destination', variable: 'SANDGATE_LOG_DESTINATION' },
  { key: 'tls.certPath', variable: 'SANDGATE_TLS_CERT', flag: 'tlsCert', convert: toAbsolutePath },
  { key: 'tls.keyPath', variable: 'SANDGATE_TLS_KEY', flag: 'tlsKey', convert: toAbsolutePath },
  { key: 'maxSandboxes', variable: 'SANDGATE_MAX_SANDBOXES', convert: toNumber },
  { key: 'identity.publicUrl', variable: 'SANDGATE_PUBLIC_URL' },
  { key: 'identity.captcha.secret', variable: 'SANDGATE_CAPTCHA_SECRET' },
  { key: 'engine.launcher', variable: 'SANDGATE_ENGINE_LAUNCHER' },
  { key: 'engine.pythonPath', variable: 'SANDGATE_PYTHON', convert: toAbsolutePath },
];

const flagNames: Readonly<Record<keyof ConfigFlags, string>> = {
  host: '--host',
  port: '--port',
  logLevel: '--log-level',
  tlsCert: '--tls-cert',
  tlsKey: '--tls-key',
};

const isObject = (value: unknown): value is RawConfig =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy with one more value. What is in the way and no object is left for the check to refuse. */
function withValue(config: RawConfig, path: readonly string[], value: unknown): RawConfig {
  const [first, ...rest] = path;
  if (first === undefined) return config;
  if (rest.length === 0) return { ...config, [first]: value };
  const inner = config[first] ?? {};
  return isObject(inner) ? { ...config, [first]: withValue(inner, rest, value) } : config;
}

export interface OverriddenConfig {
  readonly config: RawConfig;
  /** Key to the variable or flag it came from, as in `port` to `SANDGATE_PORT`. */
  readonly origins: ReadonlyMap<string, string>;
}

/** Puts variables and flags over what the file says. An empty variable counts as unset. */
export function overrideConfig(
  file: RawConfig,
  environment: Readonly<Record<string, string | undefined>>,
  flags: ConfigFlags,
): OverriddenConfig {
  const origins = new Map<string, string>();
  let config = file;
  for (const { key, variable, flag, convert } of configOverrides) {
    const typed = flag === undefined ? undefined : flags[flag];
    const text = typed ?? (environment[variable] || undefined);
    if (text === undefined) continue;
    config = withValue(config, key.split('.'), convert === undefined ? text : convert(text));
    origins.set(key, typed !== undefined && flag !== undefined ? flagNames[flag] : variable);
  }
  return { config, origins };
}
