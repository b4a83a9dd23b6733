import { personNumber } from '../session/person-key.ts';
import type { ApiKey } from './api-key.ts';

/** Whose child a key becomes that somebody asks for: the caller's, which must be a key of one workspace. */
export const naturalParent = (caller: ApiKey | null): ApiKey | null =>
  caller === null || caller.workspaceId === null || personNumber(caller.number) !== null
    ? null
    : caller;
