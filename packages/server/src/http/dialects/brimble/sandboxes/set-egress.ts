import { defineBrimbleRoute } from '../brimble-route.ts';
import { egressSchema, toPolicy } from './egress-schema.ts';
import { findSandbox } from './find-sandbox.ts';
import { sandboxObject } from './sandbox-object.ts';

export const setEgressRoute = defineBrimbleRoute({
  method: 'PUT',
  path: '/sandboxes/{sandboxId}/egress',
  message: 'Sandbox egress updated',
  scope: 'sandbox:write',
  safe: false,
  body: egressSchema.superRefine(({ mode, allow }, context) => {
    const isRestricted = mode === 'restricted';
    if (isRestricted === (allow !== undefined && (!isRestricted || allow.length > 0))) return;
    context.addIssue({
      code: 'custom',
      path: ['allow'],
      message: isRestricted
        ? 'must have 1 to 50 entries with mode restricted'
        : `must be left out with mode ${mode}`,
    });
  }),
  async run({ body }, context) {
    const { id } = await findSandbox(context, ['ready'], 'have their egress updated');
    const { sandbox, networkUpdated } = await context.sandboxes.setEgress(
      context.workspace,
      id,
      toPolicy(body),
    );
    const data = await sandboxObject(sandbox, context);
    return { data: { ...data, network_updated: networkUpdated } };
  },
});
