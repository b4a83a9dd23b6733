import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { databaseIn } from './stored-state.ts';

/** What a server has on the machine beside its own process. Paths and texts, to be compared with []. */
export interface MachineResidue {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly loopDevices: readonly string[];
  readonly controlGroups: readonly string[];
  readonly networkNamespaces: readonly string[];
  readonly runtimeFiles: readonly string[];
}

/** Nothing at all. */
export const noResidue: MachineResidue = {
  processes: [],
  mounts: [],
  loopDevices: [],
  controlGroups: [],
  networkNamespaces: [],
  runtimeFiles: [],
};

const hashOf = (home: string): string => createHash('sha256').update(home).digest('hex');

/** Where a server keeps what does not survive a boot: by who it runs as, the one or the other. */
const runtimeDirectoriesOf = (home: string): readonly string[] => [
  `/run/sandgate-${hashOf(home).slice(0, 16)}`,
  join(home, 'run'),
];

/** That of a server that runs, or was killed. */
export const runtimeDirectoryOf = (home: string): string | null =>
  runtimeDirectoriesOf(home).find((path) => existsSync(path)) ?? null;

/** What a server that was killed, and not started again, left there. */
export function removeRuntimeDirectories(home: string): void {
  for (const directory of runtimeDirectoriesOf(home).filter((path) => existsSync(path))) {
    for (const path of mountsBelow(directory)) spawnSync('umount', [path]);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The innermost first. */
const mountsBelow = (directory: string): readonly string[] =>
  mountLines()
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
    .reverse();

const mountLines = (): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8').split('\n');

const readOr = <Value>(read: () => Value, otherwise: Value): Value => {
  try {
    return read();
  } catch {
    return otherwise;
  }
};

const processIds = (): readonly string[] => readdirSync('/proc').filter((id) => /^\d+$/.test(id));

/** Pid and command line of those that carry the text in their environment, arguments or directory. */
export const processesWith = (text: string): readonly string[] =>
  processIds()
    .filter((pid) => Number(pid) !== process.pid)
    .filter((pid) =>
      ['environ', 'cmdline'].some((name) =>
        readOr(() => readFileSync(`/proc/${pid}/${name}`, 'latin1').includes(text), false),
      ),
    )
    .map((pid) => {
      const command = readOr(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1'), '');
      return `${pid} ${command.replaceAll('\0', ' ')}`;
    });

const networkOf = (path: string): string => readOr(() => readlinkSync(path), '');

/** Network namespaces that a process holds open although it lives in another. */
function heldNetworks(pid: number): readonly string[] {
  const own = networkOf(`/proc/${pid}/ns/net`);
  return readOr(() => readdirSync(`/proc/${pid}/fd`), [])
    .map((fd) => networkOf(`/proc/${pid}/fd/${fd}`))
    .filter((link) => link.startsWith('net:[') && link !== own);
}

/** What the engine has in stock for later starts belongs to no sandbox. */
const isNoStock = (path: string): boolean => !/\bstock-\d+$/.test(path);

function filesBelow(directory: string): readonly string[] {
  return readOr(() => readdirSync(directory), []).map((name) => join(directory, name));
}

function controlGroupsOf(home: string): readonly string[] {
  const prefix = `sandgate-${hashOf(home).slice(0, 8)}-`;
  const root = '/sys/fs/cgroup';
  const all = readOr(() => readdirSync(root, { recursive: true, encoding: 'utf8' }), []);
  return all.filter((path) => (path.split('/').at(-1) ?? '').startsWith(prefix)).filter(isNoStock);
}

function loopDevicesOf(home: string): readonly string[] {
  return readOr(() => readdirSync('/sys/block'), [])
    .filter((name) => name.startsWith('loop'))
    .map((name) => readOr(() => readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8'), ''))
    .filter((file) => file.startsWith(`${home}/`));
}

/** What is there of the sandboxes of a server's home. `serverPid` is null where it does not run. */
export function machineResidue(home: string, serverPid: number | null): MachineResidue {
  const runtimes = runtimeDirectoriesOf(home);
  return {
    // What a sandbox runs is told by the host's part of it: its directory is in its arguments.
    processes: runtimes
      .flatMap((path) => processesWith(`${path}/sandboxes/`))
      .filter((command) => !command.includes('/stock-')),
    mounts: mountLines().filter((line) =>
      [home, ...runtimes].some((path) => line.includes(`${path}/`)),
    ),
    loopDevices: loopDevicesOf(home),
    controlGroups: controlGroupsOf(home),
    networkNamespaces: serverPid === null ? [] : heldNetworks(serverPid),
    runtimeFiles: runtimes
      .flatMap((path) => [join(path, 'sandboxes'), join(path, 'attached')])
      .flatMap(filesBelow)
      .filter(isNoStock),
  };
}

/** Files that a server keeps of what can be destroyed. */
export const keptFiles = (home: string): readonly string[] =>
  ['layers', 'snapshots', 'volumes'].flatMap((name) => filesBelow(join(home, name)));

const passing = {
  sandboxes: ['starting', 'pausing', 'resuming', 'stopping'],
  snapshots: ['creating'],
  volumes: ['creating', 'deleting'],
} as const;

/** Rows in a state that something has to end, as `table id state`. */
export function passingRows(home: string): readonly string[] {
  const database = new DatabaseSync(databaseIn(home), { readOnly: true });
  try {
    return Object.entries(passing).flatMap(([table, states]) =>
      database
        .prepare(`select id, state from ${table} where state in (${states.map(() => '?')})`)
        .all(...states)
        .map(({ id, state }) => `${table} ${id} ${state}`),
    );
  } finally {
    database.close();
  }
}
