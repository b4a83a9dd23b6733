import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import type { EgressPolicy } from '../port/engine-egress.ts';
import { requireEnvironment } from '../sandbox/build-definition.ts';
import type { CommandUpstream } from './mcp-server.ts';

export interface CommandChanges {
  readonly command?: readonly string[] | undefined;
  readonly template?: string | null | undefined;
  readonly egress?: EgressPolicy | null | undefined;
  /** Those that are null are removed; those that are not named stay. */
  readonly environment?: Readonly<Record<string, string | null>> | undefined;
}

export const noCommandYet: CommandUpstream = {
  kind: 'command',
  command: [],
  template: null,
  egress: null,
  environment: {},
};

const maxWords = 100;
const maxCharacters = 16_384;
const maxEnvironmentBytes = 32_768;

const invalid = (message: string): SandgateError => new SandgateError('invalid_request', message);

/** What is left out stays as it is. @throws SandgateError `invalid_request` */
export function changeCommand(stored: CommandUpstream, changes: CommandChanges): CommandUpstream {
  const { command, template, egress, environment: given = {} } = changes;
  const { environment: _, sealed: __, ...kept } = stored;
  const changed: Omit<CommandUpstream, 'environment' | 'sealed'> = {
    ...kept,
    ...(command === undefined ? {} : { command: requireCommand(command) }),
    ...(template === undefined ? {} : { template: requireTemplate(template) }),
    ...(egress === undefined ? {} : { egress }),
  };
  if (JSON.stringify(changed) !== JSON.stringify(kept)) requireSecretsFor(stored, given);
  const environment = changeEnvironment(stored.environment, given);
  // What cannot be read any more is kept, since its key may come back, or replaced by what is given.
  const keepsSealed = stored.sealed !== undefined && Object.keys(given).length === 0;
  return { ...changed, environment, ...(keepsSealed ? { sealed: stored.sealed } : {}) };
}

/** Else whoever may change the command could have it print secrets that nobody is shown. */
function requireSecretsFor(
  stored: CommandUpstream,
  given: NonNullable<CommandChanges['environment']>,
): void {
  const kept = Object.keys(stored.environment).filter((name) => !(name in given));
  if (kept.length === 0 && (stored.sealed === undefined || Object.keys(given).length > 0)) return;
  throw invalid(
    `environment: ${kept.join(', ') || 'it'} was given for another command, template or egress. Give it again, or null to remove it`,
  );
}

function changeEnvironment(
  stored: CommandUpstream['environment'],
  changes: NonNullable<CommandChanges['environment']>,
): CommandUpstream['environment'] {
  const environment = new Map(Object.entries(stored));
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) environment.delete(name);
    else environment.set(name, value);
  }
  const changed = requireEnvironment(Object.fromEntries(environment));
  if (Buffer.byteLength(JSON.stringify(changed)) <= maxEnvironmentBytes) return changed;
  throw invalid(`environment: ${maxEnvironmentBytes} bytes of JSON at most`);
}

function requireCommand(command: readonly string[]): readonly string[] {
  if (command.length === 0 || command[0] === '') throw invalid('command: names no program');
  if (command.length > maxWords) throw invalid(`command: ${maxWords} words at most`);
  const text = command.join(' ');
  if (text.length > maxCharacters) throw invalid(`command: ${maxCharacters} characters at most`);
  if (text.includes('\0')) throw invalid('command: contains a NUL character');
  if (keyPattern.test(text)) {
    throw invalid('command: holds an API key, which would be shown. Put it into the environment');
  }
  return command;
}

function requireTemplate(template: string | null): string | null {
  if (template === null) return null;
  if (template === '' || template.length > 255)
    throw invalid('template: must have 1 to 255 characters');
  if (keyPattern.test(template))
    throw invalid('template: holds an API key. If it is real, revoke it');
  return template;
}
