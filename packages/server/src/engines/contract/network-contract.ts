import type { EgressDenial, EngineSandbox } from '@sandgate/core';
import { expect } from 'vitest';
import { type ContractPart, runProgram } from './contract-suite.ts';

/** Prints what comes back for each address: by Node's own proxy support, as a plain HTTP request. */
const getScript = `
  const get = (url) => new Promise((done) => {
    require('http').get(url, (answer) => {
      let text = answer.statusCode + ' ';
      answer.on('data', (data) => { text += data }).on('end', () => done(text.trim()));
    }).on('error', (error) => done(error.code));
  });
  (async () => { for (const url of process.argv.slice(1)) console.log(await get(url)) })()`;

async function get(sandbox: EngineSandbox, ...urls: string[]): Promise<string[]> {
  const environment = { NO_PROXY: '', no_proxy: '' };
  const { stdout, stderr } = await runProgram(sandbox, ['node', '-e', getScript, ...urls], {
    environment,
  });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

/** Opens a tunnel, and tells `tunnel` or what was refused, and then what it hears, to its end. */
const tunnelScript = `
  const [proxyUrl, target, say] = process.argv.slice(1);
  const proxy = new URL(proxyUrl);
  const socket = require('net').connect({ host: proxy.hostname, port: proxy.port, allowHalfOpen: true });
  socket.write('CONNECT ' + target + ' HTTP/1.1\\r\\nHost: ' + target + '\\r\\n\\r\\n');
  let head = '';
  socket.on('data', function read(data) {
    head += data.toString('latin1');
    if (!head.includes('\\r\\n\\r\\n')) return;
    socket.off('data', read);
    console.log(head.split('\\r\\n', 1)[0]);
    socket.on('data', (data) => process.stdout.write(data));
    if (say !== undefined) socket.end(say);
  });
  socket.on('error', () => {});
  socket.on('close', () => console.log('|closed'));`;

const tunnelTo = (...words: readonly string[]): string[] => {
  const command = 'exec node -e "$0" "$HTTPS_PROXY" "$@"';
  return ['/bin/sh', '-c', command, tunnelScript, ...words];
};

const server = [
  'node',
  '-e',
  `
  const serve = (host, port) => require('net').createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket, { end: false });
    socket.on('end', () => socket.end('bye'));
  }).listen(port, host, () => console.log('ready'));
  serve('127.0.0.1', 8000);
  serve('::1', 8006);`,
];

/** Starts a program that runs on, and resolves at its first output. */
async function startProgram(sandbox: EngineSandbox, argv: readonly string[]) {
  let output = '';
  const first = Promise.withResolvers<void>();
  const ended = sandbox.exec({
    argv,
    onOutput: ({ data }) => {
      output += data.toString('utf8');
      first.resolve();
    },
  });
  await Promise.race([first.promise, ended]);
  return { ended, output: () => output };
}

export const networkContract: ContractPart = (test, { start, world, report }) => {
  test('the engine says what the network tests show', async () => {
    expect(report().capabilities).toMatchObject({ egress: true, dial: true });
  });

  test('a sandbox has no network unless its policy gives it one', async () => {
    const sandbox = await start();
    const { stdout } = await runProgram(sandbox, ['env']);
    expect(stdout).not.toMatch(/proxy/i);
    expect((await sandbox.metrics()).network ?? null).toBeNull();
    expect(await get(sandbox, `http://127.0.0.1:${world().webPort}/`)).toEqual(['ECONNREFUSED']);
  });

  test('an open policy lets programs reach a server, by name and by tunnel, and bytes are counted', async () => {
    const { webPort, echoPort } = world();
    const sandbox = await start({ egress: { mode: 'open' } });
    expect(
      await get(sandbox, `http://web.example:${webPort}/a?b=c`, 'http://nowhere.example/'),
    ).toEqual(['200 GET /a?b=c 0', '502 The name nowhere.example has no address.']);
    const tunnel = await runProgram(sandbox, tunnelTo(`web.example:${echoPort}`, 'hello'));
    expect(tunnel.stdout).toBe('HTTP/1.1 200 Connection established\nhellobye|closed\n');
    const fetched = await runProgram(sandbox, [
      'node',
      '-e',
      `fetch('http://web.example:${webPort}/', { method: 'POST', body: 'x'.repeat(3_000_000) }).then((a) => a.text()).then(console.log)`,
    ]);
    expect(fetched.stdout.trim()).toBe('POST / 3000000');
    const { network } = await sandbox.metrics();
    expect(network?.sentBytes).toBeGreaterThan(3_000_000);
    expect(network?.receivedBytes).toBeGreaterThan(100);
  });

  test('a restricted policy reaches what it names, asks for no other name, and refusals are told', async () => {
    const { webPort, askedNames } = world();
    const denials: EgressDenial[] = [];
    const egress = { mode: 'restricted', allow: ['*.web.example', '127.0.0.0/24'] } as const;
    const sandbox = await start({ egress }, { onEgressDenied: (denial) => denials.push(denial) });
    askedNames.length = 0;
    const answers = await get(
      sandbox,
      `http://sub.web.example:${webPort}/`,
      `http://127.0.0.1:${webPort}/`,
      `http://web.example:${webPort}/`,
      `http://127.1.0.1:${webPort}/`,
      'http://secret.data.attacker.example:8080/',
    );
    expect(answers.map((answer) => answer.slice(0, 3))).toEqual([
      '200',
      '200',
      '403',
      '403',
      '403',
    ]);
    expect(answers[2]).toContain('web.example is not among the hosts');
    expect(askedNames).toEqual(['sub.web.example']);
    expect(denials.map(({ host, port }) => `${host}:${port}`)).toEqual([
      `web.example:${webPort}`,
      `127.1.0.1:${webPort}`,
      'secret.data.attacker.example:8080',
    ]);
    expect(denials[0]).toMatchObject({ sandboxId: sandbox.id, atMs: expect.any(Number) });
  });

  test('no policy reaches what is not public, by number, behind a name or in other clothes', async () => {
    const { webPort, askedNames } = world();
    const sandbox = await start({
      egress: { mode: 'restricted', allow: ['0.0.0.0/0', '::/0', '*.example'] },
    });
    const hosts = [
      ...[
        '10.0.0.1',
        '192.168.0.1',
        '172.16.0.1',
        '100.64.0.1',
        '169.254.169.254',
        '0.0.0.0',
        '224.0.0.1',
      ],
      ...[
        '[::1]',
        '[fd00:ec2::254]',
        '[fe80::1]',
        '[::ffff:10.0.0.1]',
        '[64:ff9b::a00:1]',
        '[2002:a00:1::]',
      ],
      ...['private.example', 'metadata.example', '0x0a000001', '167772161'],
    ];
    for (const mode of ['restricted', 'open'] as const) {
      if (mode === 'open') await sandbox.setEgress?.({ mode });
      const answers = await get(sandbox, ...hosts.map((host) => `http://${host}/`));
      const refused = hosts.map((_, at) => `${at}: 403`);
      expect(answers.map((answer, at) => `${at}: ${answer.slice(0, 3)}`)).toEqual(refused);
    }
    expect(await get(sandbox, 'http://web.example:25/')).toEqual([
      expect.stringMatching(/^403 Port 25/),
    ]);
    // Only those of its addresses that may be reached are tried.
    expect(await get(sandbox, `http://mixed.example:${webPort}/`)).toEqual(['200 GET / 0']);
    // A name that changes its mind is not asked again on the way.
    askedNames.length = 0;
    expect(await get(sandbox, `http://turning.example:${webPort}/`)).toEqual(['200 GET / 0']);
    expect(askedNames).toEqual(['turning.example']);
    expect(await get(sandbox, `http://turning.example:${webPort}/`)).toEqual([
      expect.stringMatching(/^403 /),
    ]);
  });

  test('a switch holds at once, and cuts what it does not allow', async () => {
    const { webPort, echoPort, echoes } = world();
    const sandbox = await start();
    const url = `http://web.example:${webPort}/`;
    await sandbox.setEgress?.({ mode: 'open' });
    expect(await get(sandbox, url)).toEqual(['200 GET / 0']);
    const tunnel = await startProgram(sandbox, tunnelTo(`web.example:${echoPort}`));
    await sandbox.setEgress?.({ mode: 'restricted', allow: ['web.example'] });
    expect(echoes.size).toBe(1);
    await sandbox.setEgress?.({ mode: 'deny_all' });
    await tunnel.ended;
    expect(tunnel.output()).toBe('HTTP/1.1 200 Connection established\n|closed\n');
    await expect.poll(() => echoes.size).toBe(0);
    expect(await get(sandbox, url)).toEqual(['403 This sandbox may not connect to anything.']);
    // Whichever was asked for last holds, however they end.
    await Promise.all([
      sandbox.setEgress?.({ mode: 'open' }),
      sandbox.setEgress?.({ mode: 'deny_all' }),
    ]);
    expect(await get(sandbox, url)).toEqual([expect.stringMatching(/^403/)]);
    await sandbox.setEgress?.({ mode: 'open' });
    expect(await get(sandbox, url)).toEqual(['200 GET / 0']);
  });

  test('a port of the sandbox can be reached, many times at once and with half-closed connections', async () => {
    const sandbox = await start();
    await startProgram(sandbox, server);
    const say = async (port: number, text: string): Promise<string> => {
      const connection = await sandbox.dial?.(port);
      if (connection === undefined) throw new Error('the engine has no dial');
      connection.end(text);
      let heard = '';
      for await (const data of connection) heard += String(data);
      return heard;
    };
    const texts = Array.from({ length: 40 }, (_, at) => `caller ${at} `);
    expect(await Promise.all(texts.map((text) => say(8000, text)))).toEqual(
      texts.map((text) => `${text}bye`),
    );
    await expect.poll(() => say(8006, 'six ').catch(() => '')).toBe('six bye');
    for (const port of [8001, 0, 65_536, 1.5]) {
      await expect(say(port, '')).rejects.toHaveProperty('code', 'port_closed');
    }
  });

  test('connections of both directions end with the sandbox', async () => {
    const { echoPort, echoes } = world();
    const sandbox = await start({ egress: { mode: 'open' } });
    await startProgram(sandbox, server);
    await startProgram(sandbox, tunnelTo(`web.example:${echoPort}`));
    const dialled = await sandbox.dial?.(8000);
    const closed = new Promise((resolve) => dialled?.once('close', resolve));
    expect(echoes.size).toBe(1);
    await sandbox.stop({ keepLayer: false });
    await closed;
    await expect.poll(() => echoes.size).toBe(0);
    await expect(sandbox.dial?.(8000)).rejects.toHaveProperty('code', 'sandbox_ended');
    await expect(sandbox.setEgress?.({ mode: 'open' })).rejects.toHaveProperty(
      'code',
      'sandbox_ended',
    );
  });
};
