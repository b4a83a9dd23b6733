import { showAlert } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { smallNumber } from '../small-number.ts';
import { alertItem, alertParams, toAlertItem } from './alert-schemas.ts';

export const showAlertRoute = defineRoute({
  operationId: 'getAlert',
  method: 'get',
  path: '/api/v1/alerts/{id}',
  tag: 'Alerts',
  summary: 'Show an alert',
  access: 'usage:read',
  workspace: 'reach',
  safe: true,
  params: alertParams,
  answer: alertItem,
  errors: ['not_found'],
  run: async ({ params }, context) =>
    toAlertItem(await showAlert(context, context.access.workspace, smallNumber(params.id))),
});
