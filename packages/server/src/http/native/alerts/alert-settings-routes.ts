import { changeAlertSettings, showAlertSettings } from '@sandgate/core';
import { z } from 'zod';
import { auditContextOf } from '../actor.ts';
import { defineRoute } from '../route.ts';
import { workspaceName } from '../shared-schemas.ts';
import {
  alertSettings,
  alertSettingsBody,
  toAlertSettings,
  toThresholds,
} from './alert-schemas.ts';

export const showAlertSettingsRoute = defineRoute({
  operationId: 'getAlertSettings',
  method: 'get',
  path: '/api/v1/alerts/settings',
  tag: 'Alerts',
  summary: 'Show what is looked for, and who is told',
  description:
    'Of one workspace. A key of all workspaces that names none sees those for keys like itself.',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  query: z.strictObject({ workspace: workspaceName.optional() }),
  answer: alertSettings,
  run: async (_, context) =>
    toAlertSettings(await showAlertSettings(context, context.access.workspace)),
});

export const changeAlertSettingsRoute = defineRoute({
  operationId: 'changeAlertSettings',
  method: 'put',
  path: '/api/v1/alerts/settings',
  tag: 'Alerts',
  summary: 'Change what is looked for, and who is told',
  description: 'What is left out stays as it is. The secret of a new webhook is shown this once.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: null,
  body: alertSettingsBody,
  answer: alertSettings.extend({ webhook_secret: z.string().nullable() }),
  async run({ body }, context) {
    const changed = await changeAlertSettings(context, context.access.workspace, {
      disabledTypes: body.disabled_types,
      thresholds: body.thresholds === undefined ? undefined : toThresholds(body.thresholds),
      webhookUrl: body.webhook_url,
      context: auditContextOf(context),
    });
    return { ...toAlertSettings(changed), webhook_secret: changed.webhookSecret };
  },
});
