import { type FileEntry, SandgateError } from '@sandgate/core';
import { answerPieces, fileAnswer } from '../../../answer-file.ts';
import type { SandboxAction, SandboxActionContext } from './sandbox-action.ts';

/** Where uploads are, as documented. */
const uploads = '/workspace/uploads';
const maxEntries = 10_000;
const longestNameBytes = 255;

export const filePathOf = (name: string): string => `${uploads}/${name}`;

/** @throws SandgateError `invalid_request` for what is no plain name of a file */
export function requireFileName(name: string): string {
  const plain = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  if (plain && Buffer.byteLength(name) <= longestNameBytes) return name;
  throw new SandgateError('invalid_request', 'filename: must be a plain name, without slashes');
}

const filesOf = ({ sandboxes, workspace, sandbox }: SandboxActionContext) =>
  sandboxes.files(workspace, sandbox.id);

const fileItem = ({ path, sizeBytes, modifiedAtMs }: FileEntry) => ({
  name: path.slice(path.lastIndexOf('/') + 1),
  path,
  size: sizeBytes,
  modifiedAt: new Date(modifiedAtMs).toISOString(),
});

export const listFilesAction: SandboxAction = {
  method: 'GET',
  path: '/modbox/api/files',
  scope: 'file:read',
  async run(context) {
    const files = await filesOf(context);
    try {
      const entries = await files.list(uploads, { maxEntries });
      return { files: entries.filter(({ kind }) => kind === 'file').map(fileItem) };
    } catch (error) {
      // Nothing was uploaded yet.
      if (error instanceof SandgateError && error.code === 'file_not_found') return { files: [] };
      throw error;
    }
  },
};

export const downloadFileAction: SandboxAction = {
  method: 'GET',
  path: '/modbox/api/files/{name}',
  scope: 'file:read',
  async run(context) {
    const path = filePathOf(requireFileName(context.params.name ?? ''));
    const files = await filesOf(context);
    return await answerPieces(context, (request) => files.read({ path, ...request }), fileAnswer);
  },
};

export const deleteFileAction: SandboxAction = {
  method: 'DELETE',
  path: '/modbox/api/files/{name}',
  scope: 'file:write',
  async run(context) {
    const files = await filesOf(context);
    await files.remove(filePathOf(requireFileName(context.params.name ?? '')));
    return { success: true };
  },
};
