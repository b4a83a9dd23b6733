import { acknowledgeAlert, updateAlert } from '@sandgate/core';
import { z } from 'zod';
import { auditContextOf } from '../actor.ts';
import { defineRoute } from '../route.ts';
import { smallNumber } from '../small-number.ts';
import { alertItem, alertParams, toAlertItem } from './alert-schemas.ts';

export const acknowledgeAlertRoute = defineRoute({
  operationId: 'acknowledgeAlert',
  method: 'post',
  path: '/api/v1/alerts/{id}/acknowledge',
  tag: 'Alerts',
  summary: 'Say that somebody looks into an alert',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: null,
  params: alertParams,
  answer: alertItem,
  errors: ['not_found'],
  async run({ params }, context) {
    const input = { number: smallNumber(params.id), context: auditContextOf(context) };
    return toAlertItem(await acknowledgeAlert(context, context.access.workspace, input));
  },
});

export const updateAlertRoute = defineRoute({
  operationId: 'updateAlert',
  method: 'put',
  path: '/api/v1/alerts/{id}',
  tag: 'Alerts',
  summary: 'Acknowledge or resolve an alert',
  description:
    'Resolving it resolves its ticket. While what caused it goes on, no new one is opened for it.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: null,
  params: alertParams,
  body: z.strictObject({ status: z.enum(['acknowledged', 'resolved']) }),
  answer: alertItem,
  errors: ['not_found'],
  async run({ params, body: { status } }, context) {
    const number = smallNumber(params.id);
    const input = { number, status, context: auditContextOf(context) };
    return toAlertItem(await updateAlert(context, context.access.workspace, input));
  },
});
