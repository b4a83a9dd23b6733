import { SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { endRefreshedSession } from '../../people/end-refreshed-session.ts';
import { refreshOwnSession } from '../../people/refresh-own-session.ts';
import { readSessionCookie } from '../../people/session-cookies.ts';
import { definePublicRoute } from '../route.ts';
import { requireCsrfToken } from './require-own-page.ts';
import { answerNobody, answerSession, sessionAnswer } from './session-answer.ts';

export const refreshRoute = definePublicRoute({
  operationId: 'refreshSession',
  method: 'post',
  path: '/api/v1/session/refresh',
  tag: 'Browser session',
  summary: 'Renew the session of a browser',
  description:
    'Takes its cookies and X-CSRF-Token. Of two tabs that ask at once one is answered 409 `refresh_raced`, and has the new cookies all the same.',
  answer: sessionAnswer,
  errors: ['origin_refused', 'rate_limited', 'refresh_raced', 'session_ended'],
  async run(_, context) {
    const { page, signOn } = context;
    const token = readSessionCookie(page.cookies, 'refresh');
    if (token === null) {
      throw new SandgateError('session_ended', 'This browser has no session. Log in');
    }
    requireCsrfToken(page, signOn.publicUrl);
    const refreshed = await refreshOwnSession(context, '/api/v1/session/refresh', token);
    return answerSession(context, refreshed.user, refreshed);
  },
});

export const logOutRoute = definePublicRoute({
  operationId: 'logOut',
  method: 'delete',
  path: '/api/v1/session',
  tag: 'Browser session',
  summary: 'Log a browser out',
  description: 'Takes its cookies and X-CSRF-Token. Without a session it answers the same.',
  answer: z.undefined(),
  status: 204,
  errors: ['origin_refused'],
  async run(_, context) {
    const { page, signOn } = context;
    const token = readSessionCookie(page.cookies, 'refresh');
    if (token === null) return answerNobody(context);
    requireCsrfToken(page, signOn.publicUrl);
    await endRefreshedSession(context, token);
    return answerNobody(context);
  },
});
