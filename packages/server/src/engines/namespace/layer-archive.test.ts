import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecOutcome, ExecRequest } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LayerArchive } from './layer-archive.ts';

const mebibyte = 1_048_576;
const id = 'a'.repeat(24);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-layers-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A sandbox that answers with zeros, which end an archive, instead of what `tar` would. */
const sending =
  (mebibytes: number) =>
  async ({ onOutput }: ExecRequest): Promise<ExecOutcome> => {
    const data = Buffer.alloc(mebibyte);
    for (let sent = 0; sent < mebibytes; sent += 1) await onOutput({ stream: 'stdout', data });
    return { kind: 'exited', exitCode: 0 };
  };

describe('the archive of a layer', () => {
  it('may be as large as the disk of the sandbox with the headers of its files, not more', async () => {
    const archive = new LayerArchive(folder, { tar: '/bin/tar', shell: '/bin/sh' });
    await archive.save(id, 32 * mebibyte, [], sending(40));
    const path = join(folder, `${id}.tar`);
    expect(statSync(path).size).toBe(40 * mebibyte);
    const save = archive.save(id, 32 * mebibyte, [], sending(60));
    await expect(save).rejects.toMatchObject({ code: 'engine_failed' });
    expect(readdirSync(folder)).toEqual([`${id}.tar`]);
    expect(statSync(path).size).toBe(40 * mebibyte);
  });
});
