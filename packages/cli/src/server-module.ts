import type { EngineReport } from '@sandgate/core';
import type { ServerConfig } from '@sandgate/server/config';
import type { ServerKeySource, ServerStatus } from '@sandgate/server/process';

export interface ServerOptions {
  /** State directory. */
  readonly home: string;
  readonly config: ServerConfig;
  /** No key is asked for. Loopback only. */
  readonly development: boolean;
  readonly serverKeySource: ServerKeySource;
  /** Makes a new server key at the start. Every API key dies. */
  readonly resetServerKey: boolean;
}

export interface RunningServer {
  /** Base address, as in `http://127.0.0.1:5555`. */
  readonly address: string;
  /** Text of the key that was made at the very first start. */
  readonly firstOperatorKey: string | null;
  /** API keys that `resetServerKey` revoked. */
  readonly revokedKeys: number;
  readonly warnings: readonly string[];
  status(): Promise<ServerStatus>;
  /** Drains: takes no more calls, and waits for those in progress. */
  close(): Promise<void>;
  /** Resolves when the server is closed, whoever asked. */
  readonly closed: Promise<void>;
}

export interface ApiKeyView {
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly scopes: readonly string[];
  readonly state: 'active' | 'disabled' | 'expired' | 'revoked';
  readonly display: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly usageCount: number;
}

export interface IssuedKeyView {
  readonly key: ApiKeyView;
  readonly text: string;
}

export interface SandboxView {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: string;
  readonly image: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface Administration {
  issueKey(request: {
    readonly name?: string;
    readonly namespace?: string;
    readonly expiresInMs?: number;
    readonly scopes?: readonly string[];
  }): Promise<IssuedKeyView>;
  listKeys(filter?: {
    readonly namespace?: string;
    readonly includeRevoked?: boolean;
  }): Promise<readonly ApiKeyView[]>;
  showKey(reference: string): Promise<ApiKeyView>;
  revokeKey(reference: string): Promise<ApiKeyView>;
  rotateKey(reference: string, options?: { readonly overlapMs?: number }): Promise<IssuedKeyView>;
  setKeyEnabled(reference: string, enabled: boolean): Promise<ApiKeyView>;
  listSandboxes(namespace?: string): Promise<readonly SandboxView[]>;
  close(): Promise<void>;
}

export interface ServerModule {
  startServer(options: ServerOptions): Promise<RunningServer>;
  openAdministration(options: {
    readonly home: string;
    readonly serverKeySource: ServerKeySource;
  }): Promise<Administration>;
  inspectEngine(options: {
    readonly home: string;
    readonly config: ServerConfig;
  }): Promise<EngineReport>;
}

/** The whole server, loaded only by the commands that need it. */
export async function loadServer(): Promise<ServerModule> {
  const module: unknown = await import('@sandgate/server');
  return module as ServerModule;
}
