import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { callApi } from '../call-api.ts';
import { runMsb, type ServerProcess, startServerProcess } from '../server-process.ts';
import type { History, HistoryRules, HistoryWindow, RecordedRow } from './check-history.ts';
import { startClients } from './client-processes.ts';
import { type HistoryTarget, monotonicMs } from './recorded-call.ts';

export interface HistoryPlan {
  readonly home: string;
  readonly clients: number;
  readonly kills: number;
  /** How long the load lasts before each kill, at least. Up to half of it more comes by chance. */
  readonly loadMs: number;
  /** Calls a minute that the limited keys may make. */
  readonly minuteLimits: readonly number[];
  /** The same of a key whose two children and one grandchild are called beside it. */
  readonly familyLimit: number;
  /** Keys with a child each that are revoked, each in mid-load, by several at once. */
  readonly victims: number;
}

export interface HistoryOutcome {
  readonly history: History;
  readonly rules: HistoryRules;
  readonly rotations: readonly RotationOutcome[];
}

/** What came of rotating one key by several at once. */
export interface RotationOutcome {
  readonly statuses: readonly number[];
  /** How many of all texts that the key ever had are accepted afterwards. */
  readonly livingTexts: number;
}

interface MadeKey extends HistoryTarget {
  readonly windows: readonly HistoryWindow[];
  readonly parent: string | null;
}

const minuteMs = 60_000;

/** Runs clients against a server that is killed over and over, and records everything. */
export async function runHistory(plan: HistoryPlan): Promise<HistoryOutcome> {
  const { home } = plan;
  let server = await startServerProcess({ home });
  const operator = server.firstKey;
  const clients = startClients(plan.clients);
  const revokedMs: Record<string, number> = {};
  const revokedAtMs: Record<string, number> = {};
  const revocationSentMs: Record<string, number> = {};
  const rotations: RotationOutcome[] = [];

  const make = async (name: string, minute: number | null): Promise<MadeKey> => {
    const limits = { minute, hour: null, day: null, quota_24h: null };
    const { body } = await callApi(server.address, 'POST', '/api-keys', operator, {
      name,
      workspace: 'history',
      limits,
    });
    const windows = minute === null ? [] : [{ limit: minute, widthMs: minuteMs }];
    return { name, keyNumber: body.id, texts: [body.key], windows, parent: null };
  };

  /** With the limits of its parent, or a lower one. */
  const makeChild = async (name: string, parent: MadeKey, minute?: number): Promise<MadeKey> => {
    const path = `/api-keys/${parent.keyNumber}/children`;
    const limits = minute === undefined ? {} : { limits: { minute } };
    const { status, body } = await callApi(server.address, 'POST', path, operator, {
      name,
      ...limits,
    });
    if (status !== 200) throw new Error(`${name} was answered with ${status}.`);
    const windows = minute === undefined ? parent.windows : [{ limit: minute, widthMs: minuteMs }];
    return { name, keyNumber: body.id, texts: [body.key], windows, parent: parent.name };
  };

  /** Four keys that share what the first of them may do. */
  const makeFamily = async (limit: number): Promise<readonly MadeKey[]> => {
    const parent = await make('parent', limit);
    const first = await makeChild('first child', parent, Math.ceil(limit / 2));
    const second = await makeChild('second child', parent);
    return [parent, first, second, await makeChild('grandchild', first)];
  };

  /** Three at once: whichever is answered first, the key is dead from then on. */
  const revoke = async ({ name, keyNumber }: HistoryTarget): Promise<void> => {
    revocationSentMs[name] = monotonicMs();
    const dead = (): void => {
      revokedMs[name] ??= monotonicMs();
      revokedAtMs[name] ??= Date.now();
    };
    const byApi = async (method: 'POST' | 'DELETE', path: string): Promise<void> => {
      // The second of two deletions finds nothing any more, and that is an answer too.
      const { status } = await callApi(server.address, method, path, operator);
      if (status === 200 || status === 404) dead();
      else throw new Error(`The revocation of ${name} was answered with ${status}.`);
    };
    const byCommand = async (): Promise<void> => {
      const { exitCode, stderr } = await runMsb(['server', 'keys', 'revoke', String(keyNumber)], {
        home,
      });
      if (exitCode === 0) dead();
      else throw new Error(`msb could not revoke ${name}: ${stderr}`);
    };
    await Promise.all([
      byCommand(),
      byApi('POST', `/api-keys/${keyNumber}/revoke`),
      byApi('DELETE', `/api-keys/${keyNumber}`),
    ]);
  };

  const rotateByMany = async (): Promise<void> => {
    const key = await make('rotated', null);
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        callApi(server.address, 'POST', `/api-keys/${key.keyNumber}/rotate`, operator, {}),
      ),
    );
    const texts = [...key.texts, ...answers.flatMap(({ body }) => body.key ?? [])];
    const checks = await Promise.all(
      texts.map((text) => callApi(server.address, 'GET', '/verify', text)),
    );
    rotations.push({
      statuses: answers.map(({ status }) => status),
      livingTexts: checks.filter(({ status }) => status === 204).length,
    });
  };

  try {
    const limited = await Promise.all(
      plan.minuteLimits.map((limit) => make(`limit ${limit}`, limit)),
    );
    const free = await make('free', null);
    const victims = await Promise.all(
      Array.from({ length: plan.victims }, (_, index) => make(`victim ${index + 1}`, null)),
    );
    const orphans = await Promise.all(
      victims.map((victim) => makeChild(`child of ${victim.name}`, victim)),
    );
    const family = await makeFamily(plan.familyLimit);
    let targets: readonly MadeKey[] = [...limited, ...family, free, ...victims, ...orphans];
    const keys = targets;
    clients.use(targets);

    /** A new text for a limited key, beside the old one: what is used of the limit must stay. */
    const rotateLimited = async (kill: number): Promise<void> => {
      const { keyNumber } = limited[kill % limited.length] ?? free;
      const path = `/api-keys/${keyNumber}/rotate`;
      const { body } = await callApi(server.address, 'POST', path, operator, { overlap: '1h' });
      targets = targets.map((each) =>
        each.keyNumber === keyNumber ? { ...each, texts: [...each.texts, body.key] } : each,
      );
      clients.use(targets);
    };

    for (let kill = 0; kill <= plan.kills; kill += 1) {
      clients.sendTo(server.address);
      const load = pause(plan.loadMs * (1 + Math.random() / 2));
      await rotateLimited(kill);
      await rotateByMany();
      await Promise.all(
        victims.filter((_, index) => index % (plan.kills + 1) === kill).map(revoke),
      );
      await load;
      if (kill === plan.kills) break;
      await server.kill();
      server = await startServerProcess({ home });
    }

    const calls = await clients.end();
    await server.stop();
    return {
      history: { calls, rows: readRows(home) },
      rules: {
        keyNumbers: Object.fromEntries(keys.map(({ name, keyNumber }) => [name, keyNumber])),
        windows: Object.fromEntries(
          [...limited, ...family].map(({ name, windows }) => [name, windows]),
        ),
        parents: Object.fromEntries(
          keys.flatMap(({ name, parent }) => (parent === null ? [] : [[name, parent]])),
        ),
        revokedMs,
        revokedAtMs,
        revocationSentMs,
      },
      rotations,
    };
  } finally {
    clients.kill();
    await killIfRunning(server);
  }
}

async function killIfRunning(server: ServerProcess): Promise<void> {
  if (server.process.exitCode === null && server.process.signalCode === null) await server.kill();
}

/** Straight out of the database: the door gives whole seconds. */
function readRows(home: string): readonly RecordedRow[] {
  const database = new DatabaseSync(join(home, 'sandgate.db'), { readOnly: true });
  try {
    return database
      .prepare('select request_id, key_number, status, accepted, at_ms from usage_rows')
      .all()
      .map((row) => ({
        requestId: String(row.request_id),
        keyNumber: Number(row.key_number),
        status: Number(row.status),
        accepted: row.accepted === 1,
        atMs: Number(row.at_ms),
      }));
  } finally {
    database.close();
  }
}
