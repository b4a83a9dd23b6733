import { type EngineSandboxSpec, SandgateError } from '@sandgate/core';
import { requireVariableName } from './valid-command.ts';

const maxScriptBytes = 1_048_576;

/** @throws SandgateError `invalid_request` for what would not stay a name or a path on the host. */
export function requireValidSpec(spec: EngineSandboxSpec): void {
  require(/^[0-9a-f]{24}$/.test(spec.id), 'A sandbox id has 24 hexadecimal digits.');
  require(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(spec.hostname), 'The host name is not valid.');
  require(isPlainPath(spec.workdir), 'The working directory is an absolute path without "..".');
  const { memoryMib, cpus, diskMib, maxProcesses } = spec.resources;
  for (const amount of [memoryMib, cpus, diskMib, maxProcesses]) {
    require(Number.isFinite(amount) && amount > 0, 'Resources are positive numbers.');
  }
  require(Number.isInteger(diskMib), 'The disk size is a whole number of MiB.');
  for (const [name, value] of Object.entries(spec.environment)) {
    requireVariableName(name);
    require(!value.includes('\0'), 'Variables cannot hold a NUL.');
  }
  for (const [name, text] of Object.entries(spec.scripts)) {
    require(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name), 'A script name is a plain file name.');
    require(Buffer.byteLength(text) <= maxScriptBytes, 'A script is larger than 1 MiB.');
  }
}

function isPlainPath(path: string): boolean {
  return path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..');
}

function require(condition: boolean, message: string): void {
  if (!condition) throw new SandgateError('invalid_request', message);
}
