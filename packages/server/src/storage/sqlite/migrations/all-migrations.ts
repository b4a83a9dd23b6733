import { keysWorkspacesAndSandboxes } from './0001-keys-workspaces-and-sandboxes.ts';
import { usage } from './0002-usage.ts';
import { childKeys } from './0003-child-keys.ts';
import { auditAlertsAndTickets } from './0004-audit-alerts-and-tickets.ts';
import { countKeys } from './0005-count-keys.ts';
import { sandboxPlatform } from './0006-sandbox-platform.ts';
import { indexUsageLater } from './0007-index-usage-later.ts';
import { keyCounts } from './0008-key-counts.ts';
import { keyRestrictions } from './0009-key-restrictions.ts';
import { people } from './0010-people.ts';
import { invitations } from './0011-invitations.ts';
import { identities } from './0012-identities.ts';
import { startFailures } from './0013-start-failures.ts';
import { secretsByNumber } from './0014-secrets-by-number.ts';
import { mcpServers } from './0015-mcp-servers.ts';
import { auditByUser } from './0016-audit-by-user.ts';
import { images } from './0017-images.ts';
import { registries } from './0018-registries.ts';
import { oauth } from './0019-oauth.ts';
import { rollUpByKey } from './0020-roll-up-by-key.ts';
import type { Migration } from './migration.ts';

/** In the order in which they run. */
export const allMigrations: readonly Migration[] = [
  keysWorkspacesAndSandboxes,
  usage,
  childKeys,
  auditAlertsAndTickets,
  countKeys,
  sandboxPlatform,
  indexUsageLater,
  keyCounts,
  keyRestrictions,
  people,
  invitations,
  identities,
  startFailures,
  secretsByNumber,
  mcpServers,
  auditByUser,
  images,
  registries,
  oauth,
  rollUpByKey,
];
