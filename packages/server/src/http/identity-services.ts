import type {
  AccessTokens,
  AuditLog,
  Clock,
  FailureBudget,
  FirstUserSetup,
  KeyDependencies,
  LoginThrottle,
  PasswordHasher,
  Refusal,
  SessionTimes,
} from '@sandgate/core';
import type { SignOnServices } from './sign-on-services.ts';

/** What the doors need to let people in. */
export interface IdentityServices extends KeyDependencies {
  readonly clock: Clock;
  readonly auditLog: AuditLog;
  readonly hasher: PasswordHasher;
  readonly throttle: LoginThrottle;
  readonly accessTokens: AccessTokens & {
    keySet(): Promise<{ readonly keys: readonly object[] }>;
  };
  readonly times: SessionTimes;
  readonly setup: FirstUserSetup;
  /** Null: this server asks for no captcha. @throws SandgateError `captcha_refused` */
  readonly verifyCaptcha: ((token: string | undefined, address: string) => Promise<void>) | null;
  readonly signOn: SignOnServices;
  /** That a person may own, their home among them. */
  readonly mostWorkspaces: number;
  /** Begins to remove what closed workspaces held. */
  readonly purgeClosed: () => void;
  /** How many refresh and setup tokens an address may show that are none. */
  readonly failures: FailureBudget;
  /** Told of every refusal of a stranger, for the audit. */
  readonly onRefusal: (refusal: Refusal) => void;
}
