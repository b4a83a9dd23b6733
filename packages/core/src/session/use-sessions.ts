import { SandgateError } from '../error/sandgate-error.ts';
import { digestKeyText, type ServerKey } from '../key/key-digest.ts';
import type { AccessTokens } from '../port/access-tokens.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import type { User } from '../user/user.ts';
import type { Session, SessionTimes } from './session.ts';

export interface SessionDependencies {
  readonly storage: Pick<Storage, 'sessions'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
  readonly accessTokens: AccessTokens;
  readonly times: SessionTimes;
}

/** What a client is handed. Neither text is stored anywhere. */
export interface SessionTokens {
  readonly session: Session;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessMs: number;
  readonly refreshMs: number;
}

/** Two tabs of a browser refresh at once and mean no harm; a copy is used later than that. */
const raceMs = 5_000;
const mostAgentCharacters = 200;
const refreshForm = /^mbr_[0-9a-f]{64}$/;

const newRefreshToken = (randomness: Randomness): string =>
  `mbr_${Buffer.from(randomness.bytes(32)).toString('hex')}`;

export async function startSession(
  dependencies: SessionDependencies,
  user: User,
  from: { readonly address: string; readonly agent: string },
): Promise<SessionTokens> {
  const { storage, clock, randomness, serverKey, times } = dependencies;
  const nowMs = clock.nowMs();
  const session: Session = {
    id: newResourceId(clock, randomness),
    userId: user.id,
    createdAtMs: nowMs,
    refreshedAtMs: nowMs,
    expiresAtMs: nowMs + Math.min(times.refreshMs, times.sessionMs),
    endsAtMs: nowMs + times.sessionMs,
    address: from.address,
    agent: from.agent.slice(0, mostAgentCharacters).toWellFormed(),
    endedAtMs: null,
  };
  const refreshToken = newRefreshToken(randomness);
  await storage.sessions.insert(session, digestKeyText(serverKey(), refreshToken));
  return await tokensFor(dependencies, session, refreshToken);
}

export type RefreshResult = SessionTokens & { readonly user: User };

/**
 * Exchanges a refresh token for new ones. A token is good once: shown again later, it is a copy that
 * somebody took, and the session ends for both.
 * @throws SandgateError `session_ended`, or `refresh_raced` for the later of two at once
 */
export async function refreshSession(
  dependencies: SessionDependencies & { readonly onReuse: (session: Session) => Promise<void> },
  refreshToken: string,
): Promise<RefreshResult> {
  const { storage, clock, randomness, serverKey, times } = dependencies;
  // What no token can look like is refused without the store.
  if (!refreshForm.test(refreshToken)) throw sessionEnded();
  const next = newRefreshToken(randomness);
  const outcome = await storage.sessions.refresh({
    digest: digestKeyText(serverKey(), refreshToken),
    nextDigest: digestKeyText(serverKey(), next),
    nowMs: clock.nowMs(),
    refreshMs: times.refreshMs,
    raceMs,
  });
  if (outcome.kind === 'refreshed') {
    return { ...(await tokensFor(dependencies, outcome.session, next)), user: outcome.user };
  }
  if (outcome.kind === 'raced') {
    throw new SandgateError(
      'refresh_raced',
      'Another request has just refreshed this session. Use the tokens that it was answered with',
    );
  }
  if (outcome.kind === 'reused') await dependencies.onReuse(outcome.session);
  throw sessionEnded();
}

/** Ends the session of a refresh token. Null: there was none to end, which is no error. */
export async function endSessionOf(
  { storage, clock, serverKey }: Pick<SessionDependencies, 'storage' | 'clock' | 'serverKey'>,
  refreshToken: string,
): Promise<Session | null> {
  if (!refreshForm.test(refreshToken)) return null;
  const digest = digestKeyText(serverKey(), refreshToken);
  return await storage.sessions.endByDigest(digest, clock.nowMs());
}

/** One wording for unknown, used, expired and ended, so that strangers learn nothing. */
const sessionEnded = (): SandgateError =>
  new SandgateError('session_ended', 'This session has ended. Log in again');

async function tokensFor(
  { accessTokens, times }: SessionDependencies,
  session: Session,
  refreshToken: string,
): Promise<SessionTokens> {
  return {
    session,
    accessToken: await accessTokens.issue({ userId: session.userId, sessionId: session.id }),
    refreshToken,
    accessMs: times.accessMs,
    refreshMs: session.expiresAtMs - session.refreshedAtMs,
  };
}
