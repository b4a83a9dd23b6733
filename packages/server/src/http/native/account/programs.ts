import {
  type ApiKey,
  digestKeyText,
  grantKeyText,
  type KeyDependencies,
  keyState,
  revokeKey,
  SandgateError,
} from '@sandgate/core';
import { z } from 'zod';
import { requirePerson } from '../../people/people-context.ts';
import { keyItems } from '../api-keys/key-item.ts';
import { restrictions } from '../api-keys/restriction-fields.ts';
import { defineRoute } from '../route.ts';
import { nullableTime, time } from '../shared-schemas.ts';

const programItem = z
  .strictObject({
    id: z.string(),
    name: z.string().meta({ description: 'As the program called itself' }),
    description: z.string(),
    key_id: z.int().meta({ description: 'Of the key that it is let in by' }),
    workspace: z.string(),
    restrictions,
    created_at: time,
    last_used: nullableTime,
    expires_at: nullableTime,
  })
  .meta({ id: 'Program' });

const grants = 'Grant';

export const listProgramsRoute = defineRoute({
  operationId: 'listPrograms',
  method: 'get',
  path: '/api/v1/me/programs',
  tag: 'Account',
  summary: 'List the programs that you let in',
  description: 'Those that signed in to MCP with OAuth, oldest first.',
  access: 'person',
  workspace: 'reach',
  safe: true,
  answer: z.strictObject({ programs: z.array(programItem) }),
  async run(_, context) {
    const { user } = requirePerson(context);
    const records = await context.storage.oauth.listOfUser(grants, user.id);
    const found = await Promise.all(
      records.map(async ({ id }) => ({ id, key: await livingKey(context, id) })),
    );
    const living = found.flatMap(({ id, key }) => (key === null ? [] : [{ id, key }]));
    const items = await keyItems(
      context,
      living.map(({ key }) => key),
    );
    return {
      programs: items.map((item, index) => ({
        id: living[index]?.id ?? '',
        name: item.name,
        description: item.description,
        key_id: item.id,
        workspace: item.workspace,
        restrictions: item.restrictions,
        created_at: item.created_at,
        last_used: item.last_used,
        expires_at: item.expires_at,
      })),
    };
  },
});

export const endProgramRoute = defineRoute({
  operationId: 'endProgram',
  method: 'delete',
  path: '/api/v1/me/programs/{program}',
  tag: 'Account',
  summary: 'Let a program in no more',
  description: 'Its tokens are refused from the next call on.',
  access: 'person',
  workspace: 'reach',
  safe: false,
  audit: 'key.revoke',
  params: z.strictObject({ program: z.string().max(100) }),
  answer: z.undefined(),
  status: 204,
  errors: ['not_found'],
  async run({ params: { program } }, context) {
    const { user } = requirePerson(context);
    const { oauth } = context.storage;
    const record = await oauth.find(grants, program);
    const key = record?.userId === user.id ? await livingKey(context, program) : null;
    if (key === null) throw new SandgateError('not_found', 'You let in no such program');
    await revokeKey(context, key.id);
    await oauth.removeOfGrant('RefreshToken', program);
    await oauth.remove(grants, program);
    return undefined;
  },
});

async function livingKey(
  { storage, serverKey, clock }: KeyDependencies,
  grantId: string,
): Promise<ApiKey | null> {
  const digest = digestKeyText(serverKey(), grantKeyText(serverKey(), grantId));
  const key = (await storage.keys.findByDigest(digest))?.key ?? null;
  return key !== null && keyState(key, clock.nowMs()) === 'active' ? key : null;
}
