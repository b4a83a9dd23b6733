/** One login of a person, in one browser or program. Times are epoch milliseconds. */
export interface Session {
  /** 24 hex digits. */
  readonly id: string;
  readonly userId: string;
  readonly createdAtMs: number;
  /** When its tokens were made or refreshed last. */
  readonly refreshedAtMs: number;
  /** Until when it can be refreshed. Each refresh moves it, up to `endsAtMs`. */
  readonly expiresAtMs: number;
  /** However often it is refreshed. */
  readonly endsAtMs: number;
  /** IP address of the login. */
  readonly address: string;
  /** What the client called itself. */
  readonly agent: string;
  readonly endedAtMs: number | null;
}

/** How long what a login hands out is valid. */
export interface SessionTimes {
  readonly accessMs: number;
  readonly refreshMs: number;
  readonly sessionMs: number;
}

/** 300 s and 1800 s are documented. */
export const documentedTimes = { accessMs: 300_000, refreshMs: 1_800_000 } as const;

export const sessionLives = (
  session: Pick<Session, 'endedAtMs' | 'expiresAtMs'>,
  nowMs: number,
): boolean => session.endedAtMs === null && session.expiresAtMs > nowMs;
