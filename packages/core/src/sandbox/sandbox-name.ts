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
