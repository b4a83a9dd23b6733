import type { Server } from 'node:http';

/** What a peer tells the benchmark when it can be called. */
export interface Announcement {
  readonly address: string;
  /** Of a peer that asks for one. */
  readonly key: string | null;
}

/** Says it on standard output. */
export function announce(server: Server, key: string | null): void {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The server has no port.');
  const announcement: Announcement = { address: `http://127.0.0.1:${bound.port}`, key };
  console.log(JSON.stringify(announcement));
}
