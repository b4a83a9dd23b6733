export interface CallerAssertion {
  /** For whom it is. */
  readonly audience: string;
  /** Who calls, as in `key:12`. */
  readonly subject: string;
  readonly requestId: string;
  /** The body that goes with it. */
  readonly body: string;
  /** What else is known of the caller and the call. */
  readonly facts: Readonly<Record<string, string | null>>;
}

/** Says who calls to somebody who does not know Sandgate's keys, so that nobody else can say it. */
export interface CallerAssertions {
  /** A JSON Web Token for one request, which the public signing keys verify. */
  assert(call: CallerAssertion): Promise<string>;
}
