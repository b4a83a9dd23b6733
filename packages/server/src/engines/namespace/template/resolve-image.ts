import { SandgateError } from '@sandgate/core';
import type { Template } from './template.ts';

const aliases: Readonly<Record<string, string>> = {
  python: 'microsandbox/python',
  node: 'microsandbox/node',
};

/** The canonical name of an image: without a default registry, and without a tag. */
export function canonicalImage(image: string): string {
  const plain = image.replace(/^(docker\.io\/)(library\/)?/, '').replace(/:[A-Za-z0-9._-]+$/, '');
  return aliases[plain] ?? plain;
}

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
