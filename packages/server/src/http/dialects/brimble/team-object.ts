import type { Workspace } from '@sandgate/core';

/** A workspace, as this wire knows it. */
export const teamObject = ({ id, name }: Workspace): object => ({ id, name });
