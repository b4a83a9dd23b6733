import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlClient } from './control-client.ts';
import { openControlSocket } from './control-socket.ts';
import { findRunningServer } from './find-running-server.ts';
import { type ClaimOutcome, claimHome, type ServerClaim } from './pid-file.ts';
import { identifyProcess } from './process-identity.ts';

const server = { version: '1.2.3', startedAtMs: 1_700_000_000_000 };

let home: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandgate-pid-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  await rm(home, { recursive: true });
});

function claimOf(outcome: ClaimOutcome): ServerClaim {
  if (outcome.kind !== 'claimed') throw new Error('the home is taken');
  return outcome.claim;
}

/** Claims the home in a process of its own, and says `claimed` or `taken`. */
async function claimElsewhere(): Promise<{ child: ChildProcess; outcome: string }> {
  const source = JSON.stringify(fileURLToPath(new URL('./pid-file.ts', import.meta.url)));
  const script = `
    import { claimHome } from ${source};
    const outcome = await claimHome(process.env.SANDGATE_TEST_HOME, ${JSON.stringify(server)});
    if (outcome.kind === 'claimed') await outcome.claim.publishAddress('http://127.0.0.1:1');
    process.stdout.write(outcome.kind);
    if (outcome.kind === 'claimed') setInterval(() => {}, 1_000);`;
  const child = spawn(
    process.execPath,
    ['--conditions=@sandgate/source', '--input-type=module', '--eval', script],
    {
      env: { ...process.env, SANDGATE_TEST_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  const [chunk] = await once(child.stdout, 'data');
  return { child, outcome: String(chunk) };
}

const writePidFile = (record: unknown) =>
  writeFile(join(home, 'server.pid'), typeof record === 'string' ? record : JSON.stringify(record));

describe('claimHome', () => {
  it('publishes who runs and where, readable by the owner alone', async () => {
    const claim = claimOf(await claimHome(home, server));
    expect(await findRunningServer(home)).toMatchObject({ pid: process.pid, address: null });
    await claim.publishAddress('http://127.0.0.1:5555');
    expect(await findRunningServer(home)).toMatchObject({
      ...server,
      address: 'http://127.0.0.1:5555',
    });
    expect((await stat(join(home, 'server.pid'))).mode & 0o777).toBe(0o600);
    await claim.release();
    expect(await findRunningServer(home)).toBeNull();
    await expect(stat(join(home, 'server.pid'))).rejects.toThrow();
  });

  it('is given to one of two in the same process, and to the other after its release', async () => {
    const outcomes = await Promise.all([claimHome(home, server), claimHome(home, server)]);
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['claimed', 'taken']);
    const winner = outcomes.find(({ kind }) => kind === 'claimed');
    if (winner !== undefined) await claimOf(winner).release();
    await claimOf(await claimHome(home, server)).release();
  });

  it('is given to one of several processes that start at once', async () => {
    await writePidFile('left behind');
    const started = await Promise.all([claimElsewhere(), claimElsewhere(), claimElsewhere()]);
    expect(started.map(({ outcome }) => outcome).toSorted()).toEqual(['claimed', 'taken', 'taken']);
  });

  it('names the server that has the home, and takes over after it was killed', async () => {
    const { child } = await claimElsewhere();
    expect(await claimHome(home, server)).toMatchObject({
      kind: 'taken',
      record: { pid: child.pid, address: 'http://127.0.0.1:1' },
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await findRunningServer(home)).toBeNull();
    const claim = claimOf(await claimHome(home, server));
    expect(JSON.parse(await readFile(join(home, 'server.pid'), 'utf8')).pid).toBe(process.pid);
    await claim.release();
  });
});

describe('findRunningServer', () => {
  it('is null without a file', async () => {
    expect(await findRunningServer(home)).toBeNull();
  });

  it.each(['', '4711', '{"pid":', '{"pid":-1}', 'null', '\0'.repeat(64)])(
    'takes garbage for no server: %j',
    async (text) => {
      await writePidFile(text);
      expect(await findRunningServer(home)).toBeNull();
      await claimOf(await claimHome(home, server)).release();
    },
  );

  it.each(['lost', 'damaged', 'of another container'])(
    'asks the server itself when its file is %s',
    async (state) => {
      const claim = claimOf(await claimHome(home, server));
      const unused = () => Promise.reject(new Error('not asked for'));
      const control = await openControlSocket(home, {
        record: claim.record,
        status: unused,
        resetServerKey: unused,
        removeSandbox: unused,
        stop: () => {},
      });
      await claim.publishAddress('http://127.0.0.1:5555');
      const path = join(home, 'server.pid');
      if (state === 'lost') await rm(path);
      else if (state === 'damaged') await writePidFile('4711');
      else await writePidFile({ ...claim.record(), startTicks: '1' });
      const expected = { pid: process.pid, address: 'http://127.0.0.1:5555' };
      expect(await findRunningServer(home)).toMatchObject(expected);
      expect(await claimHome(home, server)).toMatchObject({ kind: 'taken', record: expected });
      await control.close();
      await claim.release();
      expect(await controlClient.record(home)).toBeNull();
      expect(await findRunningServer(home)).toBeNull();
    },
  );

  it('does not take a recycled process id for the server', async () => {
    const identity = await identifyProcess(process.pid);
    const record = { ...identity, ...server, address: null };
    await writePidFile(record);
    expect(await findRunningServer(home)).toMatchObject({ pid: process.pid });
    await writePidFile({ ...record, startTicks: '1' });
    expect(await findRunningServer(home)).toBeNull();
    await writePidFile({ ...record, bootId: 'another' });
    expect(await findRunningServer(home)).toBeNull();
  });

  it('does not take a process that ended for the server', async () => {
    const child = spawn('true', { stdio: 'ignore' });
    await once(child, 'exit');
    await writePidFile({ pid: child.pid, startTicks: '1', bootId: 'x', ...server, address: null });
    expect(await findRunningServer(home)).toBeNull();
  });
});
