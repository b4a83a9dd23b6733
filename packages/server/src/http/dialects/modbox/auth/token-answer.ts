import type { SessionTokens } from '@sandgate/core';

/** Tokens as documented, with `token_type` beside, which OAuth clients look for. */
export const tokenAnswer = (tokens: SessionTokens) => ({
  success: true,
  tokens: {
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    expires_in: Math.floor(tokens.accessMs / 1_000),
    refresh_expires_in: Math.floor(tokens.refreshMs / 1_000),
    token_type: 'Bearer',
  },
});
