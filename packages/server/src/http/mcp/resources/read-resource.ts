import type { ReadResourceResult } from '@modelcontextprotocol/server';
import { SandgateError } from '@sandgate/core';
import { type McpRequest, runTool } from '../call-tool.ts';
import type { McpTool } from '../mcp-tool.ts';
import { type ListedFiles, sandboxListFiles } from '../tools/sandbox-list-files.ts';
import { maxReadBytes, type ReadFile, sandboxReadFile } from '../tools/sandbox-read-file.ts';
import {
  type FileAddress,
  isDirectoryUri,
  readResourceUri,
  writeResourceUri,
} from './resource-uri.ts';

/** The tool, called with the URI that stands for its arguments. */
const readWhole: McpTool = {
  ...sandboxReadFile,
  prepare(uri) {
    const prepared = sandboxReadFile.prepare(readResourceUri(String(uri)));
    return {
      ...prepared,
      async run(context) {
        const outcome = await prepared.run(context);
        const { size, truncated } = outcome.result as ReadFile;
        if (!truncated) return outcome;
        throw new SandgateError(
          'payload_too_large',
          `The file has ${size} bytes, and a resource is read up to ${maxReadBytes}. Read it in pieces with the tool sandbox_read_file`,
        );
      },
    };
  },
};

const directoryOf = (uri: string): FileAddress => {
  const address = readResourceUri(uri);
  return { ...address, path: address.path.replace(/(?<=.)\/+$/, '') };
};

const listDirectory: McpTool = {
  ...sandboxListFiles,
  prepare: (uri) => sandboxListFiles.prepare(directoryOf(String(uri))),
};

/**
 * Reads a file, or lists a directory, as a call of the tool that does so: with the same rights, limits,
 * usage and audit.
 * @throws SandgateError
 */
export async function readResource(
  uri: string,
  signal: AbortSignal,
  request: McpRequest,
): Promise<ReadResourceResult> {
  const tool = isDirectoryUri(uri) ? listDirectory : readWhole;
  const { result, content } = await runTool({ tool, input: uri, signal, report: null }, request);
  if (tool === listDirectory) return asListing(uri, result as ListedFiles);
  const [image] = content;
  if (image?.type === 'image') {
    return { contents: [{ uri, mimeType: image.mimeType, blob: image.data }] };
  }
  const { encoding, content: read } = result as ReadFile;
  if (read === undefined) {
    throw new SandgateError(
      'payload_too_large',
      'The answers of this request hold as much as they may',
    );
  }
  return encoding === 'utf-8'
    ? { contents: [{ uri, mimeType: 'text/plain', text: read }] }
    : { contents: [{ uri, mimeType: 'application/octet-stream', blob: read }] };
}

function asListing(uri: string, { path, entries }: ListedFiles): ReadResourceResult {
  const address = directoryOf(uri);
  const listed = entries.map((entry) => ({
    uri: writeResourceUri({
      ...address,
      path: entry.kind === 'directory' ? `${entry.path}/` : entry.path,
    }),
    ...entry,
  }));
  const text = JSON.stringify({ path, entries: listed }, null, 2);
  return { contents: [{ uri, mimeType: 'application/json', text }] };
}
