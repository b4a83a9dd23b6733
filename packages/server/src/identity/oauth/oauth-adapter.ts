import { createHmac } from 'node:crypto';
import {
  type Clock,
  deriveSecret,
  type OauthRecord,
  type OauthStore,
  type ServerKey,
} from '@sandgate/core';
import type { Adapter, AdapterPayload, errors } from 'oidc-provider';

export interface OauthAdapterDependencies {
  readonly store: OauthStore;
  readonly clock: Clock;
  readonly serverKey: () => ServerKey;
  /** Ends the key of a grant that was given back, or of which somebody used an old token. */
  readonly endKeyOf: (grantId: string) => Promise<void>;
  /** Lets the key of a grant live as long as was allowed: its program has come for it. */
  readonly keepKeyOf: (grantId: string, untilMs: number) => Promise<void>;
  /** Of the library, which is loaded late. */
  readonly errors: typeof errors;
}

/** Whoever has its id can act by it. */
const secretKinds = new Set(['AuthorizationCode', 'RefreshToken', 'Interaction']);
/** Anybody may register one, and few come to anything. */
const mostClients = 10_000;
/** So short that an address, at the rate that it may register, cannot take up all the room. */
const clientMs = 3_600_000;

/**
 * Where `oidc-provider` keeps what has to outlive a request. Of codes and tokens there is a keyed
 * digest and no text. Its sessions are not kept: a browser shows who sits before it at each sign-in.
 */
export function createOauthAdapter(dependencies: OauthAdapterDependencies) {
  return (kind: string): Adapter =>
    kind === 'Session' ? nothingKept : new OauthAdapter(kind, dependencies);
}

const none = async (): Promise<undefined> => undefined;

const nothingKept: Adapter = {
  upsert: none,
  find: none,
  findByUserCode: none,
  findByUid: none,
  consume: none,
  destroy: none,
  revokeByGrantId: none,
};

class OauthAdapter implements Adapter {
  readonly #kind: string;
  readonly #dependencies: OauthAdapterDependencies;

  constructor(kind: string, dependencies: OauthAdapterDependencies) {
    this.#kind = kind;
    this.#dependencies = dependencies;
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<undefined> {
    const { store, clock } = this.#dependencies;
    if (this.#kind === 'Client') await this.#requireRoom();
    const lifetimeMs = expiresInSeconds === undefined ? null : expiresInSeconds * 1_000;
    const keptMs = this.#kind === 'Client' ? clientMs : lifetimeMs;
    await store.put({
      kind: this.#kind,
      id: this.#storedId(id),
      grantId: this.#kind === 'Grant' ? id : (payload.grantId ?? null),
      userId: payload.accountId ?? null,
      payload: JSON.stringify({ ...payload, jti: undefined }),
      expiresAtMs: keptMs === null ? null : clock.nowMs() + keptMs,
      consumedAtMs: null,
    });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const { store, clock } = this.#dependencies;
    const record = await store.find(this.#kind, this.#storedId(id));
    if (record === null) return undefined;
    if (record.expiresAtMs !== null && record.expiresAtMs <= clock.nowMs()) return undefined;
    return payloadOf(record, id);
  }

  findByUid = none;
  findByUserCode = none;

  async consume(id: string): Promise<undefined> {
    const { store, clock, errors } = this.#dependencies;
    // Of two requests at once with the same code or token, both have seen it unused.
    const isFirst = await store.consume(this.#kind, this.#storedId(id), clock.nowMs());
    if (!isFirst) throw new errors.InvalidGrant('already used');
    if (this.#kind === 'AuthorizationCode') await this.#keepKey(id);
  }

  async #keepKey(code: string): Promise<void> {
    const { store, keepKeyOf } = this.#dependencies;
    const used = await store.find(this.#kind, this.#storedId(code));
    const grant = used?.grantId == null ? null : await store.find('Grant', used.grantId);
    if (grant?.expiresAtMs != null) await keepKeyOf(grant.id, grant.expiresAtMs);
  }

  async destroy(id: string): Promise<undefined> {
    const { store, endKeyOf } = this.#dependencies;
    if (this.#kind === 'Grant') await endKeyOf(id);
    await store.remove(this.#kind, this.#storedId(id));
  }

  async revokeByGrantId(grantId: string): Promise<undefined> {
    await this.#dependencies.store.removeOfGrant(this.#kind, grantId);
  }

  async #requireRoom(): Promise<void> {
    const { store, clock, errors } = this.#dependencies;
    const nowMs = clock.nowMs();
    // Those that somebody has let in are kept for longer than that, and take no room of the others.
    if ((await store.count(this.#kind, nowMs, nowMs + clientMs)) < mostClients) return;
    const refusal = new errors.CustomOIDCProviderError(
      'temporarily_unavailable',
      'too many programs have registered here in an hour, try again later',
    );
    throw Object.assign(refusal, { status: 503, statusCode: 503 });
  }

  #storedId(id: string): string {
    if (!secretKinds.has(this.#kind)) return id;
    const secret = deriveSecret(this.#dependencies.serverKey(), 'codes and tokens of OAuth');
    return createHmac('sha256', secret).update(`${this.#kind} ${id}`).digest('hex');
  }
}

function payloadOf({ payload, consumedAtMs }: OauthRecord, id: string): AdapterPayload {
  const stored: AdapterPayload = JSON.parse(payload);
  return {
    ...stored,
    jti: id,
    ...(consumedAtMs === null ? {} : { consumed: Math.floor(consumedAtMs / 1_000) }),
  };
}
