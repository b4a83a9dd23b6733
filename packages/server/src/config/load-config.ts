import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandgateError } from '@sandgate/core';
import type { z } from 'zod';
import { type ConfigFlags, overrideConfig, type RawConfig } from './config-overrides.ts';
import { type ServerConfig, serverConfig } from './server-config.ts';

export interface ConfigSources {
  /** State directory; `config.json` in it may be absent. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags?: ConfigFlags;
}

async function readConfigFile(path: string): Promise<RawConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new SandgateError('config_invalid', `${path} cannot be read. Check its permissions.`, {
      cause: error,
    });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as RawConfig;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SandgateError('config_invalid', `${path} is not valid JSON: ${reason}`, {
      cause: error,
    });
  }
  throw new SandgateError('config_invalid', `${path} must hold a JSON object.`);
}

type Issue = z.core.$ZodIssue;

/** Of the types that no setting words itself. */
const wrongTypes: Readonly<Record<string, string>> = {
  array: 'must be a list in square brackets',
  object: 'must be an object in braces',
  record: 'must be an object in braces',
};

function problemLines(issue: Issue, origins: ReadonlyMap<string, string>): readonly string[] {
  const key = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => `${[...issue.path, name].join('.')}: there is no such key`);
  }
  const origin = origins.get(key);
  const label = origin === undefined ? key : `${key} (from ${origin})`;
  if (issue.code !== 'invalid_type') return [`${label}: ${issue.message}`];
  const message = wrongTypes[issue.expected] ?? issue.message;
  return [`${label}: ${issue.input === undefined ? `is missing and ${message}` : message}`];
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}

/**
 * Reads `config.json`, puts environment variables and flags over it and checks the result.
 * @throws SandgateError `config_invalid`, naming every violation at once, one a line.
 */
export async function loadConfig(sources: ConfigSources): Promise<ServerConfig> {
  const path = join(sources.home, 'config.json');
  const file = await readConfigFile(path);
  const { config, origins } = overrideConfig(file, sources.environment, sources.flags ?? {});
  const parsed = serverConfig.safeParse(config, { reportInput: true });
  if (parsed.success) return freeze(parsed.data);
  const lines = parsed.error.issues.flatMap((issue) => problemLines(issue, origins));
  throw new SandgateError(
    'config_invalid',
    [
      `The configuration is refused (its file is ${path}):`,
      ...lines.map((line) => `  ${line}`),
    ].join('\n'),
  );
}
