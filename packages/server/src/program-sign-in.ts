import {
  type ApiKey,
  type AuditLog,
  audited,
  type Clock,
  createFailureBudget,
  digestKeyText,
  type Grantor,
  grantKeyText,
  type KeyChangeDependencies,
  type KeyDependencies,
  noLimits,
  revokeKey,
  updateKey,
} from '@sandgate/core';
import type { Logger } from 'pino';
import type { ServerConfig } from './config/index.ts';
import type { OauthServices } from './http/oauth/oauth-services.ts';
import { createOauthServer } from './identity/oauth/create-oauth-server.ts';
import type { SigningKeyRing } from './identity/signing-key-ring.ts';
import { createJudgedFetch } from './outbound/fetch-judged.ts';
import { resolveHost } from './outbound/resolve-host.ts';

export interface ProgramSignInParts extends KeyDependencies {
  readonly config: ServerConfig['identity'];
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly ring: SigningKeyRing;
  readonly auditLog: AuditLog;
  readonly log: Logger;
}

/** Documents of programs that an address may have fetched in a minute. */
const fetchesPerMinute = 20;
/** What was allowed was within the person's rights when the key was made. */
const unbounded: Grantor = { caller: null, workspace: null, limitsOf: () => noLimits };

/** What signs programs in to MCP. A grant of OAuth is a key, which lives and ends like any other. */
export function createProgramSignIn(parts: ProgramSignInParts): OauthServices | null {
  const { config, publicUrl, storage, clock, ring, serverKey, auditLog, log } = parts;
  if (!config.oauth.enabled) return null;
  const budget = createFailureBudget(fetchesPerMinute);

  const keyOf = async (grantId: string) => {
    const digest = digestKeyText(serverKey(), grantKeyText(serverKey(), grantId));
    return (await storage.keys.findByDigest(digest))?.key ?? null;
  };
  /** Nothing, where the key is revoked or gone. */
  const changeKeyOf = async (
    grantId: string,
    action: 'key.revoke' | 'key.update',
    work: (known: KeyChangeDependencies, key: ApiKey) => Promise<unknown>,
  ): Promise<void> => {
    const key = await keyOf(grantId);
    if (key === null || key.revokedAtMs !== null) return;
    const { workspaceId } = key;
    const actor = { kind: 'server' } as const;
    const attempt = { actor, action, workspaceId, details: { by: 'oauth' } };
    await audited(auditLog, attempt, (change) => work({ ...parts, change }, key));
  };
  return createOauthServer({
    publicUrl,
    ring,
    clock,
    serverKey,
    store: storage.oauth,
    async keyLives(grantId) {
      const key = await keyOf(grantId);
      if (key === null || key.revokedAtMs !== null || !key.enabled) return false;
      return key.expiresAtMs === null || key.expiresAtMs > clock.nowMs();
    },
    endKeyOf: (grantId) =>
      changeKeyOf(grantId, 'key.revoke', (known, key) => revokeKey(known, key.id)),
    keepKeyOf: (grantId, untilMs) =>
      changeKeyOf(grantId, 'key.update', (known, key) =>
        updateKey(known, unbounded, key, { expiresAtMs: untilMs }),
      ),
    fetchDocument: createJudgedFetch(
      {
        what: 'address of a program',
        example: 'https://client.example.com/client.json',
        setting: 'identity.oauth.allowedPrivateHosts',
        allowedPrivateHosts: config.oauth.allowedPrivateHosts,
      },
      resolveHost,
    ),
    mayFetch: (address) => budget.charge(address, clock.nowMs()) === 0,
    onError: (error) => log.error({ err: error }, 'a program could not be signed in'),
  });
}
