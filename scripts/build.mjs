/** `npm run build`: compiles all packages. */
import { bootstrap, runScript } from './bootstrap.mjs';

await runScript(async () => {
  await bootstrap();
  return 0;
});
