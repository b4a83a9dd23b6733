import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('docs/dependencies.md', () => {
  it('justifies each dependency, and names none that is not there', () => {
    const declared = ['.', 'packages/core', 'packages/server', 'packages/cli']
      .map((folder) => JSON.parse(read(`${folder}/package.json`)))
      .flatMap(({ dependencies, devDependencies, optionalDependencies }) =>
        Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }),
      )
      .filter((name) => !name.startsWith('@sandgate/'));
    const rows = [...read('docs/dependencies.md').matchAll(/^\| (`.+?`) \|/gm)];
    const documented = rows.flatMap(([, names = '']) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    );
    expect(documented.sort()).toEqual([...new Set(declared)].sort());
  });

  it('has a lock file that names no registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
  });
});
