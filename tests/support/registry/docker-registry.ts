import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { digestOf, type TestImage } from './test-image.ts';

export const testUser = { username: 'puller', password: 'opens the registry' };
/** Of that password, by bcrypt with the least cost. */
const passwordHash = '$2b$04$abcdefghijklmnopqrstuuyNlKC8rS2u.85I4lLC5gJ3QoY9SnV6e';

export interface DockerRegistry {
  /** With its port. */
  readonly host: string;
  push(repository: string, tag: string, image: TestImage): Promise<void>;
  stop(): Promise<void>;
}

/** Debian's registry on loopback, which lets in everybody, or whoever knows the password. */
export async function startDockerRegistry(
  folder: string,
  way: 'open' | 'htpasswd' | 'token',
  /** In whose network. Default: the test's. */
  pid?: number,
): Promise<DockerRegistry> {
  const tokens = way === 'token' ? await startTokenServer(folder) : null;
  const auth = {
    open: [],
    htpasswd: ['auth:', '  htpasswd:', '    realm: test', `    path: ${join(folder, 'passwords')}`],
    token: [
      'auth:',
      '  token:',
      `    realm: ${tokens?.url}`,
      '    service: test-registry',
      '    issuer: test-tokens',
      `    rootcertbundle: ${tokens?.certificate}`,
    ],
  }[way];
  writeFileSync(join(folder, 'passwords'), `${testUser.username}:${passwordHash}\n`);
  const configuration = join(folder, `${way}.yml`);
  writeFileSync(
    configuration,
    [
      'version: 0.1',
      'log: {level: info, accesslog: {disabled: true}}',
      `storage: {filesystem: {rootdirectory: ${join(folder, way)}}, maintenance: {uploadpurging: {enabled: false}}}`,
      'http: {addr: "127.0.0.1:0"}',
      ...auth,
      '',
    ].join('\n'),
  );
  const command = ['docker-registry', 'serve', configuration];
  const [program = '', ...words] =
    pid === undefined ? command : ['nsenter', '--target', String(pid), '--net', ...command];
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = async (): Promise<void> => {
    tokens?.server.close();
    tokens?.server.closeAllConnections();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  try {
    const host = await listeningAt(child);
    const authorization = async (repository: string): Promise<string | null> => {
      if (tokens !== null) return `Bearer ${await tokens.issue(repository, ['pull', 'push'])}`;
      return way === 'open' ? null : basicOf(testUser);
    };
    const push = async (repository: string, tag: string, image: TestImage): Promise<void> =>
      pushImage(`http://${host}`, repository, tag, image, await authorization(repository));
    return { host, push, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const basicOf = ({ username, password }: typeof testUser): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** The port is the system's choice, and the registry says it in its log. */
function listeningAt(child: ChildProcess): Promise<string> {
  let log = '';
  return new Promise((resolve, reject) => {
    // To the end, so that it is never held up by what nobody reads.
    child.stderr?.on('data', (piece: Buffer) => {
      log = (log + piece.toString('utf8')).slice(-8_000);
      const [, host] = /listening on (127\.0\.0\.1:\d+)/.exec(log) ?? [];
      if (host !== undefined) resolve(host);
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`docker-registry did not start: ${log}`)));
  });
}

async function pushImage(
  base: string,
  repository: string,
  tag: string,
  image: TestImage,
  authorization: string | null,
): Promise<void> {
  const send = async (path: string | URL, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (authorization !== null) headers.set('authorization', authorization);
    const answer = await fetch(new URL(path, base), { ...init, headers });
    if (!answer.ok) throw new Error(`push: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    return answer;
  };
  for (const blob of [image.config, ...image.layers.map(({ bytes }) => bytes)]) {
    const begun = await send(`/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(begun.headers.get('location') ?? '', base);
    place.searchParams.set('digest', digestOf(blob));
    await send(place, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(blob),
    });
  }
  await send(`/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': image.mediaType },
    body: new Uint8Array(image.manifest),
  });
}

interface TokenServer {
  readonly server: Server;
  readonly url: string;
  /** Path of the certificate that the registry trusts. */
  readonly certificate: string;
  issue(repository: string, actions: readonly string[]): Promise<string>;
}

/** Gives tokens for pulling to the one user, after the distribution project's token specification. */
async function startTokenServer(folder: string): Promise<TokenServer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = join(folder, 'tokens.pem');
  const x5c = makeCertificate(privateKey, join(folder, 'tokens.key'), certificate);
  const issue = (repository: string, actions: readonly string[]): Promise<string> =>
    new SignJWT({ access: [{ type: 'repository', name: repository, actions }] })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c: [x5c] })
      .setIssuer('test-tokens')
      .setAudience('test-registry')
      .setSubject(testUser.username)
      .setIssuedAt()
      .setNotBefore('-1m')
      .setExpirationTime('5m')
      .setJti(randomUUID())
      .sign(privateKey);
  const server = createServer((request, response) => {
    if (request.headers.authorization !== basicOf(testUser)) {
      response.writeHead(401).end('{}');
      return;
    }
    const { searchParams } = new URL(request.url ?? '/', 'http://here');
    const [, repository = ''] =
      /^repository:(.+):pull$/.exec(searchParams.get('scope') ?? '') ?? [];
    issue(repository, ['pull']).then(
      (token) => response.end(JSON.stringify({ token, expires_in: 300 })),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/token`, certificate, issue };
}

/** Makes a certificate that is its own issuer; the one line of it that a token names it by. */
function makeCertificate(key: KeyObject, keyPath: string, path: string): string {
  writeFileSync(keyPath, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const words = ['req', '-x509', '-new', '-key', keyPath, '-out', path, '-days', '2'];
  execFileSync('openssl', [...words, '-subj', '/CN=test-tokens'], { stdio: 'pipe' });
  return execFileSync('openssl', ['x509', '-in', path, '-outform', 'DER']).toString('base64');
}
