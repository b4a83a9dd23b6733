import type { z } from 'zod';
import type { setEgressRoute } from './egress/set-egress.ts';
import type { showEgressRoute } from './egress/show-egress.ts';
import type { fileEntry } from './files/file-schemas.ts';
import type { listImagesRoute, showImageRoute } from './images/list-images.ts';
import type { pullImageRoute } from './images/pull-image.ts';
import type { listMcpServersRoute } from './mcp-servers/list-mcp-servers.ts';
import type { showMcpServerRoute } from './mcp-servers/show-mcp-server.ts';
import type { readLogRoute } from './readings/read-log.ts';
import type { showMetricsRoute } from './readings/show-metrics.ts';
import type { showStatsRoute } from './readings/show-stats.ts';
import type { listRegistriesRoute } from './registries/list-registries.ts';
import type { showRegistryRoute } from './registries/show-registry.ts';
import type { testRegistryRoute } from './registries/test-registry.ts';
import type { listSandboxesRoute } from './sandboxes/list-sandboxes.ts';
import type {
  createSandboxBody,
  egress,
  sandboxItem,
  updateSandboxBody,
} from './sandboxes/sandbox-schemas.ts';
import type { waitForSandboxRoute } from './sandboxes/wait-for-sandbox.ts';
import type { listSnapshotsRoute } from './snapshots/list-snapshots.ts';
import type { showSnapshotScheduleRoute } from './snapshots/snapshot-schedule.ts';
import type { snapshotItem } from './snapshots/snapshot-schemas.ts';
import type { listTemplatesRoute } from './templates/list-templates.ts';
import type { listVolumesRoute } from './volumes/list-volumes.ts';
import type { volumeItem } from './volumes/volume-schemas.ts';

type AnswerOf<Route extends { readonly answer: z.ZodType }> = z.output<Route['answer']>;

/** What clients of this door send and are answered, as their compiler sees it. */
export type SandboxItem = z.output<typeof sandboxItem>;
export type SandboxPage = AnswerOf<typeof listSandboxesRoute>;
export type SandboxWait = AnswerOf<typeof waitForSandboxRoute>;
export type CreateSandboxFields = z.input<typeof createSandboxBody>;
export type UpdateSandboxFields = z.input<typeof updateSandboxBody>;
export type FileEntryItem = z.output<typeof fileEntry>;
export type LogPart = AnswerOf<typeof readLogRoute>;
export type MetricsItem = AnswerOf<typeof showMetricsRoute>;
export type StatsItem = AnswerOf<typeof showStatsRoute>;
export type EgressFields = z.input<typeof egress>;
export type EgressItem = AnswerOf<typeof showEgressRoute>;
export type EgressChange = AnswerOf<typeof setEgressRoute>;
export type SnapshotItem = z.output<typeof snapshotItem>;
export type SnapshotPage = AnswerOf<typeof listSnapshotsRoute>;
export type SnapshotScheduleItem = AnswerOf<typeof showSnapshotScheduleRoute>;
export type VolumeItem = z.output<typeof volumeItem>;
export type VolumePage = AnswerOf<typeof listVolumesRoute>;
export type TemplateList = AnswerOf<typeof listTemplatesRoute>;

export type McpServerItem = AnswerOf<typeof showMcpServerRoute>;
export type McpServerPage = AnswerOf<typeof listMcpServersRoute>;

export type ImageItem = AnswerOf<typeof showImageRoute>;
export type ImageList = AnswerOf<typeof listImagesRoute>;
export type PulledImageItem = AnswerOf<typeof pullImageRoute>;

export type RegistryItem = AnswerOf<typeof showRegistryRoute>;
export type RegistryPage = AnswerOf<typeof listRegistriesRoute>;
export type RegistryTestAnswer = AnswerOf<typeof testRegistryRoute>;
