import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleMcpServer, sampleWorkspace } from './sample-records.ts';

export function describeMcpServers(stores: StoresUnderTest): void {
  describe('MCP servers', () => {
    const mine = sampleWorkspace(1);
    const theirs = sampleWorkspace(2);
    const workspaceId = mine.id;

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(mine);
      await stores.storage.workspaces.insertIfAbsent(theirs);
    });

    it('come back whole, with the slug of their workspace, on every connection', async () => {
      const full = sampleMcpServer({ name: 'full', workspaceId });
      const bare = sampleMcpServer({
        ...{ name: 'bare', workspaceId: theirs.id, authentication: false, enabled: false },
        ...{ headerNames: [], sealedHeaders: null, allowedOrigins: [], healthPath: null },
      });
      await stores.storage.mcpServers.insert(full, 9);
      await stores.storage.mcpServers.insert(bare, 9);
      const { mcpServers } = stores.other;
      expect(await mcpServers.findByName('full')).toEqual({ server: full, slug: mine.slug });
      expect(await mcpServers.findByName('bare')).toEqual({ server: bare, slug: theirs.slug });
      expect(await mcpServers.findByName('FULL')).toBeNull();
    });

    it('have a name of their own over all workspaces, and are counted in theirs', async () => {
      const { mcpServers } = stores.storage;
      await mcpServers.insert(sampleMcpServer({ name: 'one', workspaceId }), 2);
      await expect(
        mcpServers.insert(sampleMcpServer({ name: 'one', workspaceId: theirs.id }), 2),
      ).rejects.toMatchObject({ code: 'mcp_server_exists' });
      await mcpServers.insert(sampleMcpServer({ name: 'two', workspaceId }), 2);
      await expect(
        mcpServers.insert(sampleMcpServer({ name: 'three', workspaceId }), 2),
      ).rejects.toMatchObject({ code: 'quota_exceeded' });
      await mcpServers.insert(sampleMcpServer({ name: 'three', workspaceId: theirs.id }), 2);
      const nobodys = sampleMcpServer({ name: 'four', workspaceId: 'f'.repeat(24) });
      await expect(mcpServers.insert(nobodys, 2)).rejects.toMatchObject({
        code: 'workspace_not_found',
      });
      expect(await mcpServers.findByName('four')).toBeNull();
    });

    it('are listed by name, in pages, of one workspace or all', async () => {
      const { mcpServers } = stores.storage;
      for (const name of ['c', 'a', 'b']) {
        await mcpServers.insert(sampleMcpServer({ name, workspaceId }), 9);
      }
      await mcpServers.insert(sampleMcpServer({ name: 'aa', workspaceId: theirs.id }), 9);
      const names = async (...list: Parameters<typeof mcpServers.list>) =>
        (await mcpServers.list(...list)).map(({ name }) => name);
      expect(await names(workspaceId, { limit: 2 })).toEqual(['a', 'b']);
      expect(await names(workspaceId, { limit: 2, afterName: 'b' })).toEqual(['c']);
      expect(await names(undefined, { limit: 9 })).toEqual(['a', 'aa', 'b', 'c']);
    });

    it('are changed from what is stored, and not at all by a change that throws', async () => {
      const { mcpServers } = stores.storage;
      const server = sampleMcpServer({ name: 'one', workspaceId });
      await mcpServers.insert(server, 9);
      expect(await mcpServers.change(theirs.id, 'one', (stored) => stored)).toBeNull();
      const changed = await mcpServers.change(workspaceId, 'one', (stored) => ({
        ...stored,
        ...{ id: 'x', name: 'x', workspaceId: theirs.id },
        authentication: !stored.authentication,
        sealedHeaders: null,
        updatedAtMs: 20,
      }));
      const expected = { ...server, authentication: false, sealedHeaders: null, updatedAtMs: 20 };
      expect(changed).toEqual(expected);
      await expect(
        mcpServers.change(undefined, 'one', () => {
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect((await stores.other.mcpServers.findByName('one'))?.server).toEqual(expected);
    });

    it('are removed within their workspace, and their name is free again', async () => {
      const { mcpServers } = stores.storage;
      const server = sampleMcpServer({ name: 'one', workspaceId });
      await mcpServers.insert(server, 9);
      expect(await mcpServers.remove(theirs.id, 'one')).toBeNull();
      expect(await mcpServers.remove(workspaceId, 'one')).toEqual(server);
      expect(await mcpServers.remove(workspaceId, 'one')).toBeNull();
      await mcpServers.insert(sampleMcpServer({ name: 'one', workspaceId: theirs.id }), 9);
    });

    it('are found by nobody when their workspace is closed', async () => {
      const { mcpServers, workspaces } = stores.storage;
      await mcpServers.insert(sampleMcpServer({ name: 'one', workspaceId }), 9);
      await workspaces.close(workspaceId, 50);
      expect(await stores.other.mcpServers.findByName('one')).toBeNull();
    });
  });
}
