import { expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { openApiDocument } from '../../packages/server/src/http/native/openapi-document.ts';

it('the OpenAPI document is the pinned one: changing it is changing what clients rely on', async () => {
  const document = JSON.stringify(openApiDocument(allRoutes, '0.0.0'), null, 2);
  await expect(`${document}\n`).toMatchFileSnapshot('openapi.json');
});
