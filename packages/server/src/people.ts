import {
  type Clock,
  createFailureBudget,
  createFirstUserSetup,
  createLoginThrottle,
  documentedTimes,
  type PasswordHasher,
  type Randomness,
  repeatWork,
  type ServerKey,
  type Storage,
  type Timers,
} from '@sandgate/core';
import type { ServerConfig } from './config/index.ts';
import { createAccessTokens } from './identity/access-tokens.ts';
import { createCallerAssertions } from './identity/caller-assertions.ts';
import { createSigningKeyRing } from './identity/signing-key-ring.ts';
import { createSignOn } from './identity/sso/create-sign-on.ts';
import { createTextSealer } from './identity/text-sealer.ts';
import { createCaptchaVerifier } from './identity/verify-captcha.ts';

export interface PeopleParts {
  readonly config: ServerConfig['identity'];
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly timers: Timers;
  readonly serverKey: () => ServerKey;
  readonly hasher: PasswordHasher;
  readonly onError: (error: unknown) => void;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Ended sessions are kept this long, so that a token that comes late is told from one of nobody. */
const endedSessionsKeptMs = 30 * dayMs;
const prunedAtOnce = 1_000;

/** What lets people in, and its upkeep. */
export async function createPeople(parts: PeopleParts) {
  const { config, storage, clock, randomness, timers, serverKey, hasher, onError } = parts;
  const ring = createSigningKeyRing({
    store: storage.signingKeys,
    clock,
    randomness,
    serverKey,
    rotateAfterMs: config.signingKeyDays * dayMs,
    tokenMs: documentedTimes.accessMs,
  });
  const issuer = config.publicUrl ?? 'sandgate';
  const publicUrl = (config.publicUrl ?? '').replace(/\/$/, '');
  const services = {
    hasher,
    sealer: createTextSealer(serverKey, randomness),
    assertions: createCallerAssertions({ ring, clock, issuer }),
    throttle: createLoginThrottle(),
    accessTokens: createAccessTokens({
      ring,
      clock,
      issuer,
      lifetimeMs: documentedTimes.accessMs,
      publicUrl,
    }),
    times: { ...documentedTimes, sessionMs: config.sessionDays * dayMs },
    setup: await createFirstUserSetup({ storage, clock, randomness, hasher }),
    verifyCaptcha: config.captcha === null ? null : createCaptchaVerifier(config.captcha),
    failures: createFailureBudget(),
    mostWorkspaces: config.workspacesPerPerson,
    signOn: createSignOn(
      { ...config.signOn, publicUrl: config.publicUrl ?? '' },
      { clock, randomness, serverKey },
    ),
  };

  const upkeep = repeatWork({
    timers,
    everyMs: hourMs,
    async work() {
      let more = true;
      while (more && !upkeep.isClosed) {
        more = await storage.sessions.prune(clock.nowMs() - endedSessionsKeptMs, prunedAtOnce);
      }
      more = true;
      while (more && !upkeep.isClosed) {
        more = await storage.oauth.prune(clock.nowMs(), prunedAtOnce);
      }
    },
    onError,
  });

  return {
    services,
    ring,
    publicUrl,
    startUpkeep: () => upkeep.start(0),
    /** Resolves when nothing of it runs any more. */
    close: upkeep.close,
  };
}
