/** Who did something: a key, a person, the operator at the machine, or nobody known. */
export type AuditActor =
  | { readonly kind: 'key'; readonly keyNumber: number }
  | { readonly kind: 'user'; readonly userNumber: number }
  | { readonly kind: 'operator' }
  | { readonly kind: 'server' }
  | { readonly kind: 'development' }
  | { readonly kind: 'stranger' };

/** One change or refusal. Never holds a credential. */
export interface AuditEntry {
  /** 1 for the first; without gaps. */
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: AuditActor;
  /** What was done, as in `key.revoke`, `sandbox.start`, `access.refused`. */
  readonly action: string;
  /** What it was done to, as in `key:12`, `sandbox:65f…`. */
  readonly target: string | null;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly workspaceId: string | null;
  /** IP address; null for what was done on the machine itself. */
  readonly address: string | null;
  readonly requestId: string | null;
  /** Small facts, as `{"code": "access_denied"}` or the names of changed fields. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  /** SHA-256 over the entry's canonical form and the hash before it, in hex. */
  readonly hash: string;
  readonly previousHash: string;
}

export type NewAuditEntry = Omit<AuditEntry, 'sequence' | 'hash' | 'previousHash'>;
