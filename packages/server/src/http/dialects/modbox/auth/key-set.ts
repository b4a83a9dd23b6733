import { defineModboxDoor } from '../modbox-route.ts';

export const keySetRoute = defineModboxDoor({
  method: 'get',
  path: '/.well-known/jwks.json',
  async run(_, { accessTokens }) {
    return Response.json(await accessTokens.keySet(), {
      headers: { 'Cache-Control': 'public, max-age=300' },
    });
  },
});
