import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { pageAnswer, pageFields, pageQuery, pageRequest } from '../paging.ts';
import { defineRoute } from '../route.ts';
import { ownWorkspace } from '../sandboxes/sandbox-call.ts';
import { sandboxReference } from '../sandboxes/sandbox-schemas.ts';
import { queryFlag, workspaceName } from '../shared-schemas.ts';
import { snapshotItem, snapshotState, toSnapshotItem } from './snapshot-schemas.ts';

export const listSnapshotsRoute = defineRoute({
  operationId: 'listSnapshots',
  method: 'get',
  path: '/api/v1/snapshots',
  tag: 'Snapshots',
  summary: 'List snapshots',
  description: 'Newest first, also those of sandboxes that are destroyed.',
  access: 'snapshot:read',
  workspace: 'own',
  safe: true,
  query: z.strictObject({
    ...pageQuery,
    sandbox: sandboxReference
      .optional()
      .meta({ description: 'Id or name of their sandbox; of a destroyed one its id' }),
    state: snapshotState.optional(),
    automatic: queryFlag.optional(),
    name_prefix: z.string().min(1).max(40).optional(),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({ snapshots: z.array(snapshotItem), ...pageFields }),
  errors: ['sandbox_not_found'],
  async run({ query }, context) {
    const workspace = ownWorkspace(context);
    const { sandboxes } = context.access;
    const sandbox =
      query.sandbox === undefined
        ? undefined
        : await sandboxes.find(workspace, query.sandbox, { includeDestroyed: true });
    const filter = givenFields({
      sandboxId: sandbox?.id,
      state: query.state,
      automatic: query.automatic,
      namePrefix: query.name_prefix,
    });
    const found = await sandboxes.listSnapshots(workspace, filter, pageRequest(query));
    return { snapshots: found.items.map(toSnapshotItem), ...pageAnswer(found, query) };
  },
});
