import { type Browser, chromium } from 'playwright-core';

/** Debian's browser, without a window. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium-headless-shell',
    // Of the tests' own pages, as root too, and where shared memory is small.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
