import { artifactName } from '@sandgate/core';
import { z } from 'zod';

/** The name of a snapshot or a volume. */
export const artifactNameSchema = z.string().regex(artifactName, {
  error: 'must be 1 to 40 characters of a-z, 0-9 and hyphens',
});
