import { type RequestedSandbox, requireName, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import {
  namespaceName,
  type RpcMethod,
  requiredString,
  requireWorkspace,
  selectNamespace,
} from '../rpc-method.ts';

/** Some clients send null for what they leave out. */
const list = z.array(z.string()).nullish();

const configSchema = z.strictObject({
  image: z.string().min(1).nullish(),
  memory: z.number().nullish(),
  cpus: z.number().nullish(),
  volumes: list,
  ports: list,
  envs: list,
  depends_on: list,
  workdir: z.string().nullish(),
  shell: z.string().nullish(),
  scripts: z.record(z.string(), z.string()).nullish(),
  exec: z.string().nullish(),
});

const paramsSchema = z.strictObject({
  sandbox: requiredString,
  namespace: namespaceName,
  config: configSchema.nullish(),
});

type Config = z.infer<typeof configSchema>;

export const sandboxStart: RpcMethod<z.infer<typeof paramsSchema>> = {
  scope: 'sandbox:write',
  safe: false,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    requireName('Sandbox name', sandbox);
    return selectNamespace(namespace, { create: true });
  },
  async run({ sandbox, config }, context) {
    const requested = config === undefined || config === null ? null : readConfig(config);
    const workspace = requireWorkspace(context);
    const { signal } = context;
    const { id } = await context.sandboxes.start(workspace, sandbox, requested, { signal });
    return { sandboxId: id, result: `Sandbox ${sandbox} started successfully` };
  },
};

function readConfig(config: Config): RequestedSandbox {
  if ((config.ports ?? []).length > 0) {
    throw new SandgateError(
      'ports_unsupported',
      'Ports cannot be published: the sandboxes of this server have no network. Leave ports out',
    );
  }
  const { image, memory, cpus, volumes, envs, depends_on, workdir, shell, scripts, exec } = config;
  return {
    ...present({ image, workdir, shell, scripts, exec, dependsOn: depends_on }),
    resources: present({ memoryMib: memory, cpus }),
    ...(envs ? { environment: Object.fromEntries(envs.map(readVariable)) } : {}),
    ...(volumes ? { mounts: volumes.map(readVolume) } : {}),
  };
}

/** The fields that are neither undefined nor null. */
function present<T extends Record<string, unknown>>(
  fields: T,
): { [Name in keyof T]?: NonNullable<T[Name]> } {
  const entries = Object.entries(fields).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return Object.fromEntries(entries) as { [Name in keyof T]?: NonNullable<T[Name]> };
}

function readVariable(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new SandgateError('invalid_request', 'Each of envs has the form NAME=value');
}

/** `host:guest`, or one path for both. */
function readVolume(text: string): { hostPath: string; guestPath: string } {
  const [hostPath = '', guestPath = hostPath, ...rest] = text.split(':');
  if (hostPath !== '' && guestPath !== '' && rest.length === 0) return { hostPath, guestPath };
  throw new SandgateError('invalid_request', 'Each of volumes has the form host-path:guest-path');
}
