import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { announce } from './announce.ts';

/**
 * A server that asks better-auth about the key of each call. Its database is tuned as Sandgate's is;
 * its key has one window, which is what it can have.
 */
const [file = ''] = process.argv.slice(2);
const database = new DatabaseSync(file);
database.exec('pragma journal_mode = wal; pragma synchronous = normal');
const auth = betterAuth({
  database,
  secret: randomBytes(32).toString('hex'),
  baseURL: 'http://127.0.0.1',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 86_400_000, maxRequests: 1e9 } })],
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
const { user } = await auth.api.signUpEmail({
  body: { email: 'bench@example.com', password: randomBytes(12).toString('hex'), name: 'bench' },
});
const { key } = await auth.api.createApiKey({ body: { userId: user.id } });

const server = createServer(async (request, response) => {
  const presented = String(request.headers['x-api-key'] ?? '');
  const { valid } = await auth.api.verifyApiKey({ body: { key: presented } });
  response.writeHead(valid ? 204 : 401).end();
});
server.listen(0, '127.0.0.1', () => announce(server, key));
