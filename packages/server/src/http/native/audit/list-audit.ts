import {
  type ApiKey,
  type AuditEntry,
  findUser,
  listAudit,
  noSuchUser,
  seesSandbox,
  type User,
} from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../authorize/caller-key.ts';
import { callerOf } from '../../people/workspace-caller.ts';
import { actor, toActor } from '../actor.ts';
import { findKeyWithin } from '../api-keys/find-key-within.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { queryNumber, queryTime, time, toTime, workspaceName } from '../shared-schemas.ts';
import { userReference } from '../users/user-schemas.ts';

const outcome = z.enum(['done', 'refused', 'failed']);

const auditEntry = z
  .strictObject({
    sequence: z.int(),
    created_at: time,
    actor,
    action: z.string().meta({ description: 'As in key.revoke, sandbox.start, access.refused' }),
    target: z.string().nullable().meta({ description: 'As in key:12' }),
    outcome,
    address: z.string().nullable(),
    request_id: z.string().nullable(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });

export const listAuditRoute = defineRoute({
  operationId: 'listAudit',
  method: 'get',
  path: '/api/v1/audit',
  tag: 'Audit',
  summary: 'List changes and refusals, newest first',
  description:
    'A key of one workspace sees the entries of that workspace, and one that is bound to a sandbox none about other sandboxes: its pages can be shorter. The chain of hashes goes over all workspaces, and is checked on the machine with `msb audit verify`.',
  access: 'audit:read',
  workspace: 'reach',
  safe: true,
  query: z.strictObject({
    action: z.string().max(100).optional(),
    key: z.string().max(24).optional().meta({ description: 'Number or id of the key that did it' }),
    user: userReference
      .optional()
      .meta({ description: 'Id, uid or e-mail address of the person who did it' }),
    outcome: outcome.optional(),
    from: queryTime.optional(),
    to: queryTime.optional().meta({ description: 'Exclusive' }),
    size: queryNumber(1, 1_000).default(50),
    cursor: queryNumber(1, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'next_cursor of the page before' }),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({ entries: z.array(auditEntry), next_cursor: z.int().nullable() }),
  errors: ['key_not_found', 'user_not_found'],
  async run({ query }, context) {
    const key =
      query.key === undefined
        ? null
        : await findKeyWithin(context, query.key, { revokedToo: true });
    const user = query.user === undefined ? null : await findUserWithin(context, query.user);
    const { entries, nextBeforeSequence } = await listAudit(context, context.access.workspace, {
      action: query.action,
      keyNumber: key?.number,
      userNumber: user?.number,
      outcome: query.outcome,
      fromMs: query.from,
      toMs: query.to,
      limit: query.size,
      beforeSequence: query.cursor,
    });
    return {
      entries: entries.filter(seenBy(callerKey(context))).map((entry) => ({
        sequence: entry.sequence,
        created_at: toTime(entry.atMs),
        actor: toActor(entry.actor),
        action: entry.action,
        target: entry.target,
        outcome: entry.outcome,
        address: entry.address,
        request_id: entry.requestId,
        details: { ...entry.details },
        hash: entry.hash,
      })),
      next_cursor: nextBeforeSequence,
    };
  },
});

/** What a key that is bound to one sandbox is not told: what was done to the others, and what belongs to them. */
const seenBy =
  (reader: ApiKey | null) =>
  ({ target }: AuditEntry): boolean => {
    const [, kind, id = ''] = /^(sandbox|snapshot|volume):(.*)$/.exec(target ?? '') ?? [];
    return kind === undefined || seesSandbox(reader, kind === 'sandbox' ? id : '');
  };

/**
 * Who a query names, as far as the caller may know that they exist: an operator, of everybody, and
 * others of the members of the workspace, and of themselves.
 * @throws SandgateError `user_not_found`
 */
async function findUserWithin(context: AuthorisedContext, reference: string): Promise<User> {
  const user = await findUser(context, reference);
  const { workspace, caller } = context.access;
  const isSelf = caller.kind === 'key' && caller.owner?.user.id === user.id;
  if (workspace === null || callerOf(context).isOperator || isSelf) return user;
  if ((await context.storage.members.find(user.id, workspace.id)) !== null) return user;
  throw noSuchUser();
}
