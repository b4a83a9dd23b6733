import { createHash } from 'node:crypto';
import type { DoorSandboxes, Registry, SandboxImage, Template, Workspace } from '@sandgate/core';
import { uuidOf } from '../sandboxes/resource-uuid.ts';

const time = (timeMs: number): string => new Date(timeMs).toISOString();

/** An image of a workspace as this wire shows it; `registry` is null when it is deleted, too. */
export const imageDetail = (
  image: SandboxImage,
  workspace: Workspace,
  registry: Registry | null,
) => ({
  id: uuidOf(image.id),
  workspace_id: workspace.uuid as string | null,
  name: image.name,
  image: image.image,
  tag: image.tag,
  description: image.description,
  enabled: image.enabled,
  is_default: image.isDefault,
  memory_mb: image.memoryMib,
  readiness_port: null,
  registry_id: image.registryId === null ? null : uuidOf(image.registryId),
  registry_name: registry?.name ?? null,
  ttl_seconds: image.ttlMs === null ? null : image.ttlMs / 1_000,
  created_at: time(image.createdAtMs) as string | null,
  updated_at: time(image.updatedAtMs) as string | null,
});

/** Of a template, which every workspace has: made of its name, and the same at every start. */
function templateUuid({ name }: Template): string {
  const digits = createHash('sha256').update(`template ${name}`).digest('hex');
  return uuidOf(digits.slice(0, 24));
}

/** A template of this server, as an image that nobody can change. */
export const templateDetail = (
  template: Template,
  isDefault: boolean,
): ReturnType<typeof imageDetail> => ({
  id: templateUuid(template),
  workspace_id: null,
  name: template.name,
  image: template.image,
  tag: 'latest',
  description: template.description,
  enabled: true,
  is_default: isDefault,
  memory_mb: null,
  readiness_port: null,
  registry_id: null,
  registry_name: null,
  ttl_seconds: null,
  created_at: null,
  updated_at: null,
});

export const templateOfUuid = (sandboxes: DoorSandboxes, uuid: string): Template | null =>
  sandboxes.templates().find((template) => templateUuid(template) === uuid.toLowerCase()) ?? null;
