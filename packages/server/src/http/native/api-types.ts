import type { z } from 'zod';
import type { fileEntry } from './files/file-schemas.ts';
import type { pageFields } from './paging.ts';
import type {
  createSandboxBody,
  sandboxItem,
  updateSandboxBody,
} from './sandboxes/sandbox-schemas.ts';

/** What clients of this door send and are answered, as their compiler sees it. */
export type SandboxItem = z.output<typeof sandboxItem>;
export type CreateSandboxFields = z.input<typeof createSandboxBody>;
export type UpdateSandboxFields = z.input<typeof updateSandboxBody>;
export type FileEntryItem = z.output<typeof fileEntry>;
/** Beside the items of a page. */
export type PageFields = {
  readonly [Name in keyof typeof pageFields]: z.output<(typeof pageFields)[Name]>;
};
