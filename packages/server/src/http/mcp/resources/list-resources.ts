import type {
  ListResourcesResult,
  ListResourceTemplatesResult,
  Resource,
} from '@modelcontextprotocol/server';
import { type DoorSandboxes, SandgateError, type Workspace } from '@sandgate/core';
import type { Access } from '../../authorize/authorizer.ts';
import { callOf, type McpRequest, mcpPath } from '../call-tool.ts';
import { mayUseTool } from '../may-use-tool.ts';
import { takeOutput } from '../take-output.ts';
import { sandboxList } from '../tools/sandbox-list.ts';
import { sandboxListFiles } from '../tools/sandbox-list-files.ts';
import { sandboxReadFile } from '../tools/sandbox-read-file.ts';
import { resourceTemplate, writeResourceUri } from './resource-uri.ts';

/** Each is asked by a program that runs inside. */
const sandboxesOfPage = 10;
const maxFilesOfSandbox = 200;
const listedDirectory = '/workspace';

/**
 * The files of the key's own namespace that are directly in `/workspace` of the sandboxes that run. What
 * a key may not list by tools is not listed here.
 * @throws SandgateError
 */
export async function listResources(
  cursor: string | undefined,
  request: McpRequest,
): Promise<ListResourcesResult> {
  const call = {
    ...callOf(request),
    method: request.method,
    endpoint: mcpPath,
    scope: 'mcp:call',
    workspace: { kind: 'own' },
    safe: true,
  } as const;
  return await request.authorizer.perform(call, async ({ caller, workspace, sandboxes }) => {
    const mayList = [sandboxList, sandboxListFiles].every((tool) => mayUseTool(caller, tool));
    if (workspace === null || !mayList) return { value: { resources: [] }, status: 200 };
    const page = { limit: sandboxesOfPage, ...(cursor === undefined ? {} : { afterId: cursor }) };
    const running = { states: ['ready'] } as const;
    const { items, nextAfterId } = await sandboxes.list(workspace, running, page);
    const resources = await Promise.all(
      items.map(({ id, name }) => filesOf(sandboxes, workspace, id, name)),
    );
    const value = {
      resources: resources.flat(),
      ...(nextAfterId === null ? {} : { nextCursor: nextAfterId }),
    };
    takeOutput(request.output, JSON.stringify(value).length);
    return { value, status: 200 };
  });
}

/** The directory, and what is in it where that is not too much. */
async function filesOf(
  sandboxes: DoorSandboxes,
  workspace: Workspace,
  id: string,
  sandbox: string,
): Promise<readonly Resource[]> {
  const directory = {
    uri: writeResourceUri({ sandbox, path: `${listedDirectory}/` }),
    name: `${sandbox}:${listedDirectory}/`,
    mimeType: 'application/json',
  };
  try {
    const files = await sandboxes.files(workspace, id);
    const entries = await files.list(listedDirectory, { maxEntries: maxFilesOfSandbox });
    const listed = entries.filter(({ kind }) => kind === 'file');
    return [
      directory,
      ...listed.map(({ path, sizeBytes }) => ({
        uri: writeResourceUri({ sandbox, path }),
        name: `${sandbox}:${path}`,
        size: sizeBytes,
      })),
    ];
  } catch (error) {
    if (!(error instanceof SandgateError)) throw error;
    // One sandbox that has ended meanwhile, or has no such directory, hides no others.
    return error.code === 'payload_too_large' ? [directory] : [];
  }
}

export function listResourceTemplates(
  caller: Access['caller'] | null,
): ListResourceTemplatesResult {
  if (!mayUseTool(caller, sandboxReadFile)) return { resourceTemplates: [] };
  const template = {
    uriTemplate: resourceTemplate,
    name: 'sandbox-file',
    title: 'File of a sandbox',
    description:
      'A file of a sandbox that runs, up to 1 MiB; with / at the end, what is in a directory. Leave namespace out unless you were told one.',
  };
  return { resourceTemplates: [template] };
}
