import { describe, expect, it } from 'vitest';
import { canonicalImage } from '../../canonical-image.ts';
import { resolveImage } from './resolve-image.ts';

describe('canonicalImage', () => {
  it.each([
    ['python', 'microsandbox/python'],
    ['node', 'microsandbox/node'],
    ['node:24', 'microsandbox/node'],
    ['microsandbox/python', 'microsandbox/python'],
    ['microsandbox/python:latest', 'microsandbox/python'],
    ['docker.io/microsandbox/node', 'microsandbox/node'],
    ['docker.io/library/python:3', 'microsandbox/python'],
    ['example.org/python', 'example.org/python'],
    ['/etc', '/etc'],
  ])('%s is %s', (image, name) => {
    expect(canonicalImage(image)).toBe(name);
  });
});

describe('resolveImage', () => {
  const template = { name: 'microsandbox/node', languages: [], description: 'Node', steps: [] };

  it('finds a template by any of its names', () => {
    expect(resolveImage('node:latest', [template])).toBe(template);
  });

  it('names what there is when an image is unknown', () => {
    expect(() => resolveImage('alpine', [template])).toThrow('Images here: microsandbox/node.');
    expect(() => resolveImage('alpine', [])).toThrow('Images here: none.');
  });
});
