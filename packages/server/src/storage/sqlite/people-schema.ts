import type { GeneratedAlways } from 'kysely';

/** Tables of people. `docs/storage-schema.md` tells what each column means. */
export interface PeopleSchema {
  readonly users: UserTable;
  readonly identities: IdentityTable;
  readonly invitations: InvitationTable;
  readonly members: MemberTable;
  readonly sessions: SessionTable;
  readonly refresh_tokens: RefreshTokenTable;
  readonly signing_keys: SigningKeyTable;
  readonly oauth_records: OauthRecordTable;
}

interface UserTable {
  number: GeneratedAlways<number>;
  id: string;
  email: string;
  name: string;
  password_hash: string | null;
  /** 0 or 1. */
  enabled: number;
  home_workspace_id: string;
  created_at_ms: number;
  last_login_at_ms: number | null;
  /** 0 or 1. */
  email_verified: number;
}

interface OauthRecordTable {
  kind: string;
  id: string;
  grant_id: string | null;
  user_id: string | null;
  /** JSON object. */
  payload: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  consumed_at_ms: number | null;
}

interface IdentityTable {
  provider: string;
  subject: string;
  user_id: string;
  created_at_ms: number;
}

interface InvitationTable {
  id: string;
  workspace_id: string;
  email: string;
  role: string;
  digest: Uint8Array;
  invited_by: string | null;
  created_at_ms: number;
  expires_at_ms: number;
}

interface MemberTable {
  workspace_id: string;
  user_id: string;
  role: string;
  created_at_ms: number;
}

interface SessionTable {
  id: string;
  user_id: string;
  created_at_ms: number;
  refreshed_at_ms: number;
  expires_at_ms: number;
  ends_at_ms: number;
  address: string;
  agent: string;
  ended_at_ms: number | null;
}

interface RefreshTokenTable {
  digest: Uint8Array;
  session_id: string;
  used_at_ms: number | null;
}

interface SigningKeyTable {
  id: string;
  /** JSON Web Key. */
  public_key: string;
  sealed_private_key: Uint8Array;
  server_key_version: number;
  created_at_ms: number;
}
