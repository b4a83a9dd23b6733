import { type AlertListInput, listAlertHistory, listAlerts } from '@sandgate/core';
import type { z } from 'zod';
import { findKeyWithin } from '../api-keys/find-key-within.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { alertPage, alertQuery, toAlertItem } from './alert-schemas.ts';

const listRoute = (route: {
  operationId: string;
  path: `/${string}`;
  summary: string;
  list: typeof listAlerts;
}) =>
  defineRoute({
    operationId: route.operationId,
    method: 'get',
    path: route.path,
    tag: 'Alerts',
    summary: route.summary,
    access: 'usage:read',
    workspace: 'reach',
    safe: true,
    query: alertQuery,
    answer: alertPage,
    errors: ['key_not_found'],
    async run({ query }, context) {
      const input = await inputOf(query, context);
      const { alerts, nextBeforeNumber } = await route.list(
        context,
        context.access.workspace,
        input,
      );
      return { alerts: alerts.map(toAlertItem), next_cursor: nextBeforeNumber };
    },
  });

export const listAlertsRoute = listRoute({
  operationId: 'listAlerts',
  path: '/api/v1/alerts',
  summary: 'List alerts that are not resolved, newest first',
  list: listAlerts,
});

export const listAlertHistoryRoute = listRoute({
  operationId: 'listAlertHistory',
  path: '/api/v1/alerts/history',
  summary: 'List all alerts that there ever were, newest first',
  list: listAlertHistory,
});

async function inputOf(
  query: z.output<typeof alertQuery>,
  context: AuthorisedContext,
): Promise<AlertListInput> {
  const { key, status } = query;
  const known = key === undefined ? null : await findKeyWithin(context, key, { revokedToo: true });
  return {
    keyNumber: known?.number,
    type: query.type,
    level: query.level,
    statuses: status === undefined ? undefined : [status],
    fromMs: query.from,
    toMs: query.to,
    limit: query.size,
    beforeNumber: query.cursor,
  };
}
