import { SandgateError } from '@sandgate/core';
import { canonicalImage } from '../../canonical-image.ts';
import type { Template } from './template.ts';

/** @throws SandgateError `image_unknown` with the names of those that there are. */
export function resolveImage(image: string, templates: readonly Template[]): Template {
  const name = canonicalImage(image);
  const template = templates.find((candidate) => candidate.name === name);
  if (template !== undefined) return template;
  const known = templates.map((candidate) => candidate.name).join(', ');
  throw new SandgateError(
    'image_unknown',
    `There is no image ${JSON.stringify(image)} on this server. Images here: ${known || 'none'}.`,
  );
}
