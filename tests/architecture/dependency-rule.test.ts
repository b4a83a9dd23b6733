import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

interface SourceImport {
  readonly from: string;
  readonly to: string;
}

const sourceFiles = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path));

const importForm =
  /(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\s*\(\s*['"]([^'"]+)['"]|import\s+['"]([^'"]+)['"]/g;

/** Every import of ours, with relative paths made relative to the repository. */
const importsOf = (path: string): readonly SourceImport[] =>
  [...readFileSync(join(root, path), 'utf8').matchAll(importForm)].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    return {
      from: path,
      to: target.startsWith('.') ? relative(root, resolve(root, dirname(path), target)) : target,
    };
  });

const imports = ['packages/core/src', 'packages/server/src', 'packages/cli/src']
  .flatMap(sourceFiles)
  .flatMap(importsOf);

interface Rule {
  readonly name: string;
  readonly from: RegExp;
  /** What those files may import. Anything else is a violation. */
  readonly may: RegExp;
}

/** Adapters: below them only the domain, beside them nobody. */
const adapters = [
  'storage/sqlite',
  'engines/namespace',
  'engines/docker',
  'engines/kernel',
] as const;

const libraries = /^(?!@sandgate\/|packages\/|\.)/;
const either = (...patterns: readonly RegExp[]): RegExp =>
  new RegExp(patterns.map(({ source }) => `(?:${source})`).join('|'));

const rules: readonly Rule[] = [
  {
    name: 'core imports nothing of ours, and no I/O, clock or environment',
    from: /^packages\/core\//,
    may: /^packages\/core\/src\/|^node:(crypto|net|path|stream|zlib)$/,
  },
  {
    name: 'storage adapters import core, and no sibling',
    from: /^packages\/server\/src\/storage\//,
    may: either(/^packages\/server\/src\/storage\/|^@sandgate\/core$/, libraries),
  },
  {
    name: 'engines import core and the kernels that they run, and no sibling',
    from: /^packages\/server\/src\/engines\//,
    may: either(/^packages\/server\/src\/engines\/|^@sandgate\/core$/, libraries),
  },
  {
    name: 'http imports core and itself: no storage, no engine',
    from: /^packages\/server\/src\/http\//,
    may: either(/^packages\/server\/src\/http\/|^@sandgate\/core$/, libraries),
  },
  {
    name: 'identity imports core, and no sibling',
    from: /^packages\/server\/src\/identity\//,
    may: either(/^packages\/server\/src\/identity\/|^@sandgate\/core$/, libraries),
  },
  {
    name: 'administration imports core, and no sibling',
    from: /^packages\/server\/src\/administration\//,
    may: either(/^packages\/server\/src\/administration\/|^@sandgate\/core$/, libraries),
  },
  {
    name: 'process and config import core and each other',
    from: /^packages\/server\/src\/(process|config)\//,
    may: either(/^packages\/server\/src\/(process|config)\/|^@sandgate\/core$/, libraries),
  },
  {
    name: 'the command line imports the server and the core, and nothing inside them',
    from: /^packages\/cli\//,
    may: either(/^packages\/cli\/src\/|^@sandgate\/(server|core)$/, libraries),
  },
];

describe('the dependency rule', () => {
  it('finds imports to judge', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it.each(rules)('$name', ({ from, may }) => {
    const judged = imports.filter((each) => from.test(each.from));
    expect(judged.length).toBeGreaterThan(0);
    expect(judged.filter((each) => !may.test(each.to))).toEqual([]);
  });

  it('no door has sandboxes but those that its caller may touch', () => {
    const offenders = sourceFiles('packages/server/src/http').filter((path) =>
      /\b(Sandboxes|createSandboxes|restrictSandboxes|EngineSandbox|Engine)\b/.test(
        // What a client is told may use any words.
        withoutComments(path).replaceAll(/'[^'\n]*'/g, "''"),
      ),
    );
    expect(offenders).toEqual([]);
    const gates = sourceFiles('packages/server/src').filter((path) =>
      /\bDoorSandboxes\b/.test(withoutComments(path)),
    );
    expect(gates).toContain('packages/server/src/http/authorize/authorizer.ts');
  });

  it('no dialect imports another dialect', () => {
    const crossings = imports.filter(({ from, to }) => {
      const dialect = /\/dialects\/([^/]+)\//;
      const [, one] = dialect.exec(from) ?? [];
      const [, other] = dialect.exec(to) ?? [];
      return one !== undefined && other !== undefined && one !== other;
    });
    expect(crossings).toEqual([]);
  });

  it('no adapter imports a sibling of its kind', () => {
    const crossings = imports.filter(({ from, to }) =>
      adapters.some(
        (own) =>
          from.includes(`/${own}/`) &&
          adapters.some(
            (other) =>
              other !== own &&
              other !== 'engines/kernel' &&
              other.split('/')[0] === own.split('/')[0] &&
              to.includes(`/${other}/`),
          ),
      ),
    );
    expect(crossings).toEqual([]);
  });

  it('only main.ts and the command line read the environment or end the process', () => {
    const offenders = ['packages/core/src', 'packages/server/src']
      .flatMap(sourceFiles)
      .filter((path) => path !== 'packages/server/src/main.ts')
      .filter((path) => /process\.(env|exit)\b/.test(withoutComments(path)));
    expect(offenders).toEqual([]);
  });

  it('is not silenced: no file switches a check off', () => {
    const silenced = ['packages/core/src', 'packages/server/src', 'packages/cli/src', 'tests']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .map((name) => join(folder, name))
          .filter((path) => /\.tsx?$/.test(path)),
      )
      .filter((path) => !path.endsWith('dependency-rule.test.ts'))
      .filter((path) =>
        /@ts-(ignore|nocheck|expect-error)|biome-ignore/.test(
          readFileSync(join(root, path), 'utf8'),
        ),
      );
    expect(silenced).toEqual([]);
  });
});

function withoutComments(path: string): string {
  return readFileSync(join(root, path), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
}
