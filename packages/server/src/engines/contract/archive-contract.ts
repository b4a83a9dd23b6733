import { expect } from 'vitest';
import { type ContractPart, filesOf, inPieces, runShell } from './contract-suite.ts';

type Files = ReturnType<typeof filesOf>;

async function pack(files: Files, path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await files.pack({ path, onData: (data) => void pieces.push(Buffer.from(data)) });
  return Buffer.concat(pieces);
}

interface Member {
  readonly name: string;
  readonly type: '0' | '1' | '2';
  readonly target?: string;
  readonly text?: string;
}

/** A tar archive as an attacker writes it, with names that `tar` itself would not store. */
function craft(...members: readonly Member[]): Buffer {
  const blocks = members.flatMap(({ name, type, target = '', text = '' }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0' + '0001750\0' + '0001750\0', 100);
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0        ', 136);
    header.write(type, 156);
    header.write(target, 157);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const body = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    body.write(text);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export const archiveContract: ContractPart = (test, { shared }) => {
  test('a directory comes out of its archive as it was', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    const made = await runShell(
      sandbox,
      `mkdir -p d/e 'd/new
line' && echo 1 >d/e/f && chmod 640 d/e/f && ln -s e/f d/l && ln d/e/f d/hard && printf x >d/-n &&
       mkdir d/ro && echo r >d/ro/r && chmod 555 d/ro && touch -d 2001-02-03T04:05:06Z d/e/f`,
    );
    expect(made).toMatchObject({ exitCode: 0 });
    const archive = await pack(files, '/workspace/d');
    await files.unpack({ path: '/workspace/made/copy', source: inPieces(archive) });
    const look = (name: string): Promise<{ readonly stdout: string }> =>
      runShell(
        sandbox,
        `cd ${name} && find . -printf '%p %y %m %s %l\\n' | sort; stat -c '%Y %h' e/f; ls -A`,
      );
    expect((await look('made/copy')).stdout).toBe((await look('d')).stdout);
    // Into what is there already, in pieces that end anywhere.
    await runShell(
      sandbox,
      'chmod 755 made/copy/ro; echo own >made/copy/own; echo old >made/copy/e/f',
    );
    const halves = [archive.subarray(0, 777), archive.subarray(777)];
    await files.unpack({ path: '/workspace/made/copy', source: inPieces(...halves) });
    expect((await runShell(sandbox, 'cd made/copy; cat own e/f hard; ls -A ..')).stdout).toBe(
      'own\n1\n1\ncopy\n',
    );
  });

  test('an archive writes nothing outside its directory', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await runShell(
      sandbox,
      'mkdir out in && echo safe >out/f && ln -s ../out in/way && ln -s ../out/f in/one',
    );
    const unpack = (...members: readonly Member[]): Promise<void> =>
      files.unpack({ path: '/workspace/in', source: inPieces(craft(...members)) });
    const file = { type: '0', text: 'evil' } as const;
    const hostile: readonly (readonly Member[])[] = [
      [{ ...file, name: '../out/f' }],
      [{ ...file, name: '/workspace/out/f' }],
      [{ ...file, name: 'a/../../out/f' }],
      [{ ...file, name: 'way/f' }],
      [{ ...file, name: 'one' }],
      [
        { name: 'up', type: '2', target: '../out' },
        { ...file, name: 'up/f' },
      ],
      [
        { name: 'abs', type: '2', target: '/workspace/out' },
        { ...file, name: 'abs/f' },
      ],
      [
        { name: 'hard', type: '1', target: '../out/f' },
        { ...file, name: 'hard' },
      ],
      [
        { name: 'deep', type: '1', target: '/workspace/out/f' },
        { ...file, name: 'deep' },
      ],
    ];
    for (const members of hostile) await unpack(...members).catch(() => undefined);
    expect((await runShell(sandbox, 'ls out; cat out/f; ls -A | sort')).stdout).toBe(
      'f\nsafe\nin\nout\n',
    );
    await expect(unpack({ ...file, name: 'way/f' })).rejects.toMatchObject({
      code: 'file_conflict',
    });
    await expect(unpack({ ...file, name: 'x/../../f' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect((await runShell(sandbox, 'cat in/one; ls -A in | grep -c sandgate')).stdout).toBe(
      'evil0\n',
    );
  });

  test('an archive that is none, or ends early, leaves nothing', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await runShell(sandbox, 'mkdir d && head -c 3000000 /dev/urandom >d/big && echo s >d/small');
    const archive = await pack(files, '/workspace/d');
    const unpack = (source: AsyncIterable<Uint8Array>, path = '/workspace/in'): Promise<void> =>
      files.unpack({ path, source });
    await expect(unpack(inPieces('no archive'))).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(unpack(inPieces(archive.subarray(0, 1_000_000)))).rejects.toMatchObject({
      code: 'invalid_request',
    });
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 2_000_000);
      throw new Error('source failed');
    }
    await expect(unpack(failing())).rejects.toThrow('source failed');
    await expect(unpack(inPieces(archive), '/workspace/d/small')).rejects.toMatchObject({
      code: 'file_exists',
    });
    await expect(unpack(inPieces(archive), '/usr/in')).rejects.toMatchObject({
      code: 'file_denied',
    });
    expect((await runShell(sandbox, 'find in')).stdout).toBe('in\n');
    for (const [path, code] of [
      ['/workspace/none', 'file_not_found'],
      ['/workspace/d/small', 'file_conflict'],
    ] as const) {
      await expect(pack(files, path)).rejects.toMatchObject({ code });
    }
    const large = await runShell(sandbox, 'truncate -s 60M d/big');
    expect(large.exitCode).toBe(0);
    const controller = new AbortController();
    const packing = files.pack({
      path: '/workspace/d',
      signal: controller.signal,
      onData: () => controller.abort(),
    });
    await expect(packing).rejects.toMatchObject({ code: 'request_abandoned' });
  });
};
