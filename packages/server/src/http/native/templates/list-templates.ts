import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { lifetimeFields, resourceFields, toEgressFields } from '../sandboxes/sandbox-item.ts';
import { egress, lifetimeItem, resources } from '../sandboxes/sandbox-schemas.ts';

const template = z.strictObject({
  name: z.string(),
  display_name: z.string(),
  description: z.string().meta({ description: 'What it really is on this machine' }),
  image: z.string().meta({ description: 'Of the engine; may be given in place of the name' }),
  engine: z.string(),
  languages: z.array(z.enum(['python', 'node'])).meta({ description: 'Of its kernels' }),
  default: z.boolean().meta({ description: 'Used where a request names none' }),
});

export const listTemplatesRoute = defineRoute({
  operationId: 'listTemplates',
  method: 'get',
  path: '/api/v1/templates',
  tag: 'Templates',
  summary: 'Show what sandboxes can be made of here, and what they get by default',
  description: 'Within what the key may make.',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  answer: z.strictObject({
    templates: z.array(template),
    defaults: z.strictObject({
      resources,
      egress,
      lifetime: lifetimeItem.pick({
        idle_timeout_seconds: true,
        max_lifetime_seconds: true,
        paused_timeout_seconds: true,
      }),
    }),
    maxima: resources.meta({ description: 'What one sandbox may ask for' }),
  }),
  async run(_, { access: { sandboxes } }) {
    const { resources, maxima, egress, lifetime } = sandboxes.startDefaults();
    const endless = { ...lifetime, expiresAtMs: null, oneShot: false };
    const { expires_at: _at, one_shot: _once, ...spans } = lifetimeFields(endless);
    return {
      templates: sandboxes.templates().map((each) => ({
        name: each.name,
        display_name: each.displayName,
        description: each.description,
        image: each.image,
        engine: each.engine,
        languages: [...each.languages],
        default: each.isDefault,
      })),
      defaults: {
        resources: resourceFields(resources),
        egress: toEgressFields(egress),
        lifetime: spans,
      },
      maxima: resourceFields(maxima),
    };
  },
});
