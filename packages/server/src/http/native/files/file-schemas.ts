import type { FileEntry } from '@sandgate/core';
import { z } from 'zod';
import { time, toTime } from '../shared-schemas.ts';

export const filePath = z.string().min(1).max(4_096).meta({ description: 'Absolute' });

export const fileEntry = z
  .strictObject({
    path: z.string(),
    kind: z.enum(['file', 'directory', 'link', 'other']),
    size_bytes: z.int(),
    mode: z.string().meta({ description: 'Permission bits in octal, as in 0644' }),
    modified_at: time,
    link_target: z.string().nullable(),
  })
  .meta({ id: 'FileEntry' });

export const toFileEntry = (entry: FileEntry): z.input<typeof fileEntry> => ({
  path: entry.path,
  kind: entry.kind,
  size_bytes: entry.sizeBytes,
  mode: entry.mode.toString(8).padStart(4, '0'),
  modified_at: toTime(entry.modifiedAtMs),
  link_target: entry.linkTarget,
});
