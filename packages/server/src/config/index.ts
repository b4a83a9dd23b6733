export * from './config-overrides.ts';
export { isLoopback } from './is-loopback.ts';
export { limitsOf } from './limits-of.ts';
export * from './load-config.ts';
export * from './server-config.ts';
