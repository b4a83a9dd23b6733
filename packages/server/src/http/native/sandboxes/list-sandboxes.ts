import { type SandboxState, SandgateError, sandboxStates } from '@sandgate/core';
import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { pageAnswer, pageFields, pageQuery, pageRequest } from '../paging.ts';
import { defineRoute } from '../route.ts';
import { workspaceName } from '../shared-schemas.ts';
import { ownWorkspace } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import { sandboxItem } from './sandbox-schemas.ts';

export const listSandboxesRoute = defineRoute({
  operationId: 'listSandboxes',
  method: 'get',
  path: '/api/v1/sandboxes',
  tag: 'Sandboxes',
  summary: 'List sandboxes',
  description: 'Newest first. Destroyed ones are left out, unless state=destroyed asks for them.',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  query: z.strictObject({
    ...pageQuery,
    state: z.string().max(200).optional().meta({ description: 'One or more, with commas' }),
    template: z.string().max(255).optional(),
    label: z
      .string()
      .max(1_000)
      .optional()
      .meta({ description: 'name=value; several with commas, all of which it must carry' }),
    name_prefix: z.string().min(1).max(63).optional(),
    q: z.string().min(1).max(63).optional().meta({ description: 'In the name' }),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({ sandboxes: z.array(sandboxItem), ...pageFields }),
  async run({ query }, context) {
    const filter = givenFields({
      states: query.state === undefined ? undefined : statesOf(query.state),
      template: query.template,
      labels: query.label === undefined ? undefined : labelsOf(query.label),
      namePrefix: query.name_prefix,
      search: query.q,
    });
    const workspace = ownWorkspace(context);
    const found = await context.access.sandboxes.list(workspace, filter, pageRequest(query));
    return { sandboxes: found.items.map(toSandboxItem), ...pageAnswer(found, query) };
  },
});

function statesOf(text: string): readonly SandboxState[] {
  return text.split(',').map((name) => {
    const state = sandboxStates.find((each) => each === name);
    if (state !== undefined) return state;
    throw new SandgateError(
      'invalid_request',
      `query state: must be of ${sandboxStates.join(', ')}`,
    );
  });
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new SandgateError('invalid_request', 'query label: must be name=value');
    }),
  );
}
