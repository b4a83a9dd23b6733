export * from './control-client.ts';
export * from './control-socket.ts';
export * from './home-directory.ts';
export * from './pid-file.ts';
export * from './process-identity.ts';
export * from './server-key-file.ts';
export * from './server-status.ts';
