import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStorage } from '../storage-contract.ts';
import { openSqliteStorage } from './open-sqlite-storage.ts';

describeStorage('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sandgate-sqlite-'));
  return {
    open: () => openSqliteStorage({ file: join(folder, 'sandgate.db') }),
    remove: () => rm(folder, { recursive: true }),
  };
});
