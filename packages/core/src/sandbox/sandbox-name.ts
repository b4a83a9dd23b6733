import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';

const maxNameBytes = 63;
const allowedCharacters = /^[A-Za-z0-9_-]+$/;
const allowedStart = /^[A-Za-z0-9]/;

type NamedThing = 'Sandbox name' | 'Namespace' | 'Workspace';

/** What is wrong with a sandbox or namespace name, or null. */
export function nameProblem(subject: NamedThing, name: string): string | null {
  if (name.length === 0) return `${subject} cannot be empty`;
  if (Buffer.byteLength(name) > maxNameBytes) {
    return `${subject} cannot exceed ${maxNameBytes} characters`;
  }
  if (!allowedCharacters.test(name)) {
    return `${subject} can only contain alphanumeric characters, hyphens, or underscores`;
  }
  if (!allowedStart.test(name)) return `${subject} must start with an alphanumeric character`;
  // It would be stored, listed and shown in the process list.
  if (keyPattern.test(name)) return `${subject} must not be an API key`;
  return null;
}

/** @throws SandgateError `invalid_request` with the documented message. */
export function requireName(subject: NamedThing, name: string): string {
  const problem = nameProblem(subject, name);
  if (problem !== null) throw new SandgateError('invalid_request', problem);
  return name;
}

/** The words that stand in a sandbox's place in addresses of the native API, as `/sandboxes/events`. */
const wordsOfAddresses: readonly string[] = ['events'];

/**
 * What is wrong with a name that a sandbox is to get, or null. A sandbox that already has a word of an
 * address as its name keeps it, and is reached by its id.
 */
export function newSandboxNameProblem(name: string): string | null {
  const problem = nameProblem('Sandbox name', name);
  if (problem !== null || !wordsOfAddresses.includes(name)) return problem;
  return `Sandbox name cannot be "${name}": its address is that of something else. Take another name`;
}

/** @throws SandgateError `invalid_request` */
export function requireNewSandboxName(name: string): string {
  const problem = newSandboxNameProblem(name);
  if (problem !== null) throw new SandgateError('invalid_request', problem);
  return name;
}
