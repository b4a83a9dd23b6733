import type { SealedText } from '../port/text-sealer.ts';

/** Where images of a workspace come from, and as whom they are pulled. */
export interface Registry {
  readonly id: string;
  readonly workspaceId: string;
  /** For display. */
  readonly name: string;
  /** As in `ghcr.io` or `registry.example:5000`, in lower case. */
  readonly server: string;
  /** It is spoken to without TLS, where the operator allows its host. */
  readonly allowHttp: boolean;
  readonly username: string;
  readonly sealedPassword: SealedText;
  readonly email: string | null;
  /** Images can be pulled from it. */
  readonly enabled: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export const registryTarget = ({ id }: Pick<Registry, 'id'>): string => `registry:${id}`;

/** What a sealed password is about: no other registry opens it, and no other workspace. */
export const passwordOf = ({ id, workspaceId }: Pick<Registry, 'id' | 'workspaceId'>): string =>
  `password of registry ${id} of workspace ${workspaceId}`;
