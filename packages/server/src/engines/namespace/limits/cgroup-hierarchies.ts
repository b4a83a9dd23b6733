import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mounted cgroup hierarchy in which this process has a place. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** What a v1 hierarchy controls, as in `['cpu', 'cpuacct']`. Empty for v2, which says it in files. */
  readonly controllers: readonly string[];
  /** Directory of the cgroup that this process is in. */
  readonly ownDirectory: string;
}

/**
 * Reads from proc(5) where cgroup hierarchies are mounted and where this process is in each.
 * Hierarchies mounted outside `cgroupRoot`, and those whose mount does not show this process's own
 * cgroup, are left out.
 */
export function readCgroupHierarchies(
  procRoot: string,
  cgroupRoot: string,
): readonly CgroupHierarchy[] {
  const positions = readPositions(join(procRoot, 'self/cgroup'));
  const hierarchies: CgroupHierarchy[] = [];
  for (const mount of readCgroupMounts(join(procRoot, 'self/mountinfo'))) {
    const inside = mount.mountPoint === cgroupRoot || mount.mountPoint.startsWith(`${cgroupRoot}/`);
    const path = positions.find(({ controllers }) =>
      mount.version === 2
        ? controllers.length === 0
        : controllers.length > 0 && controllers.every((name) => mount.options.includes(name)),
    );
    const below = path === undefined ? null : pathBelow(mount.root, path.path);
    if (!inside || path === undefined || below === null) continue;
    const ownDirectory = join(mount.mountPoint, below);
    hierarchies.push({ version: mount.version, controllers: path.controllers, ownDirectory });
  }
  return hierarchies;
}

/** Lines of /proc/self/cgroup: `4:memory:/path`, and `0::/path` for v2. */
function readPositions(file: string) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return {
        controllers: controllers.split(',').filter((name) => name !== ''),
        path: path.join(':'),
      };
    });
}

/** Lines of /proc/self/mountinfo: `id parent dev root mountPoint options ... - type source options`. */
function readCgroupMounts(file: string) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [type, , options = ''] = after.split(' ');
      const [, , , root = '', mountPoint = ''] = before.split(' ').map(unescapeOctal);
      if (type !== 'cgroup' && type !== 'cgroup2') return [];
      const version: 1 | 2 = type === 'cgroup2' ? 2 : 1;
      return [{ version, root, mountPoint, options: options.split(',') }];
    });
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function pathBelow(root: string, path: string): string | null {
  if (root === '/') return path;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : null;
}
