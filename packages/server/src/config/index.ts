export * from './config-overrides.ts';
export * from './load-config.ts';
export * from './server-config.ts';
