import type {
  Alert,
  AlertFilter,
  AlertPage,
  AlertSettings,
  AlertStore,
  AlertType,
  AuditActor,
  RaisedAlert,
  RecordChange,
  TellWebhook,
} from '@sandgate/core';
import { sql } from 'kysely';
import { toActorColumn } from './actor-column.ts';
import { toAlert, toAlertSettings, toSettingsColumns } from './alert-row.ts';
import { appendAudit } from './append-audit.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';
import { insertComment, insertTicket, setTicketStatus } from './ticket-store.ts';
import { insertDelivery } from './webhook-store.ts';

const server: AuditActor = { kind: 'server' };

export class SqliteAlertStore implements AlertStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  async raise(raised: RaisedAlert): Promise<{ readonly opened: boolean; readonly alert: Alert }> {
    return this.#transaction(() => {
      const episode = this.#episode(raised.keyNumber, raised.finding.type);
      return episode === null
        ? { opened: true, alert: this.#open(raised) }
        : { opened: false, alert: this.#refresh(episode, raised) };
    });
  }

  async endEpisode(
    keyNumber: number,
    type: AlertType,
    { atMs, comment, delivery }: Parameters<AlertStore['endEpisode']>[2],
  ): Promise<boolean> {
    return this.#transaction(() => {
      const alert = this.#episode(keyNumber, type);
      if (alert === null) return false;
      if (alert.status !== 'resolved') {
        this.#resolve(alert, server, atMs, delivery);
        const { ticketNumber } = alert;
        insertComment(this.#connection, ticketNumber, {
          author: server,
          text: comment,
          createdAtMs: atMs,
        });
        const ticket = this.#connection.first(
          this.#connection.queries
            .selectFrom('tickets')
            .select('status')
            .where('number', '=', ticketNumber),
        );
        if (ticket?.status === 'open') {
          setTicketStatus(this.#connection, ticketNumber, 'resolved', atMs);
        }
      }
      this.#end(alert.number, atMs);
      return true;
    });
  }

  async episodesOf(keyNumber: number): Promise<readonly Alert[]> {
    return this.#connection
      .all(this.#episodes().selectAll().where('key_number', '=', keyNumber).orderBy('type'))
      .map(toAlert);
  }

  async keysWithEpisodes(afterNumber: number, limit: number): Promise<readonly number[]> {
    return this.#connection
      .all(
        this.#episodes()
          .select('key_number')
          .distinct()
          .where('key_number', '>', afterNumber)
          .orderBy('key_number')
          .limit(limit),
      )
      .map((row) => row.key_number);
  }

  async find(workspaceId: string | undefined, number: number): Promise<Alert | null> {
    return this.#find(workspaceId, number);
  }

  async list(
    filter: AlertFilter,
    { limit, beforeNumber }: { readonly limit: number; readonly beforeNumber?: number | undefined },
  ): Promise<AlertPage> {
    const { workspaceId, keyNumber, type, level, statuses, fromMs, toMs } = filter;
    const rows = this.#connection.all(
      this.#within(workspaceId)
        .$if(keyNumber !== undefined, (q) => q.where('key_number', '=', keyNumber ?? 0))
        .$if(type !== undefined, (q) => q.where('type', '=', type ?? ''))
        .$if(level !== undefined, (q) => q.where('level', '=', level ?? ''))
        .$if(statuses !== undefined, (q) => q.where('status', 'in', statuses ?? []))
        .$if(fromMs !== undefined, (q) => q.where('created_at_ms', '>=', fromMs ?? 0))
        .$if(toMs !== undefined, (q) => q.where('created_at_ms', '<', toMs ?? 0))
        .$if(beforeNumber !== undefined, (q) => q.where('number', '<', beforeNumber ?? 0))
        .orderBy('number', 'desc')
        .limit(limit + 1),
    );
    const alerts = rows.slice(0, limit).map(toAlert);
    return {
      alerts,
      nextBeforeNumber: rows.length > limit ? (alerts.at(-1)?.number ?? null) : null,
    };
  }

  async acknowledge(
    workspaceId: string | undefined,
    number: number,
    by: AuditActor,
    atMs: number,
    record?: RecordChange<Alert>,
  ): Promise<Alert | null> {
    return this.#connection.transaction('full', () => {
      const alert = this.#find(workspaceId, number);
      if (alert?.status !== 'active') return alert;
      this.#connection.run(
        this.#update(number).set({
          status: 'acknowledged',
          acknowledged_by: toActorColumn(by),
          acknowledged_at_ms: atMs,
          updated_at_ms: atMs,
        }),
      );
      if (record !== undefined) appendAudit(this.#connection, record(alert));
      return this.#find(workspaceId, number);
    });
  }

  async resolve(
    workspaceId: string | undefined,
    number: number,
    by: AuditActor,
    { atMs, ends, delivery }: Parameters<AlertStore['resolve']>[3],
    record?: RecordChange<Alert>,
  ): Promise<Alert | null> {
    return this.#connection.transaction('full', () => {
      const alert = this.#find(workspaceId, number);
      if (alert === null || alert.status === 'resolved') return alert;
      this.#resolve(alert, by, atMs, delivery);
      setTicketStatus(this.#connection, alert.ticketNumber, 'resolved', atMs);
      if (ends) this.#end(number, atMs);
      if (record !== undefined) appendAudit(this.#connection, record(alert));
      return this.#find(workspaceId, number);
    });
  }

  async settings(workspaceId: string | null): Promise<AlertSettings | null> {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('alert_settings')
        .selectAll()
        .where('scope', '=', workspaceId ?? ''),
    );
    return row === undefined ? null : toAlertSettings(row);
  }

  async putSettings(
    workspaceId: string | null,
    settings: AlertSettings,
    record?: RecordChange,
  ): Promise<void> {
    const columns = toSettingsColumns(settings);
    const put = this.#connection.queries
      .insertInto('alert_settings')
      .values({ scope: workspaceId ?? '', ...columns })
      .onConflict((conflict) => conflict.column('scope').doUpdateSet(columns));
    this.#connection.transaction('full', () => {
      this.#connection.run(put);
      if (record !== undefined) appendAudit(this.#connection, record());
    });
  }

  async noteNetworks(
    keyNumber: number,
    networks: readonly string[],
    { atMs, most }: { readonly atMs: number; readonly most: number },
  ): Promise<{ readonly added: readonly string[]; readonly knewAny: boolean }> {
    const { queries } = this.#connection;
    return this.#transaction(() => {
      const ofKey = queries
        .selectFrom('key_networks')
        .select('network')
        .where('key_number', '=', keyNumber);
      const known = new Set(this.#connection.all(ofKey).map(({ network }) => network));
      for (const network of networks) {
        this.#connection.run(
          queries
            .insertInto('key_networks')
            .values({
              key_number: keyNumber,
              network,
              first_seen_at_ms: atMs,
              last_seen_at_ms: atMs,
            })
            .onConflict((conflict) =>
              conflict.columns(['key_number', 'network']).doUpdateSet({ last_seen_at_ms: atMs }),
            ),
        );
      }
      const kept = ofKey.orderBy('last_seen_at_ms', 'desc').orderBy('network').limit(most);
      this.#connection.run(
        queries
          .deleteFrom('key_networks')
          .where('key_number', '=', keyNumber)
          .where('network', 'not in', kept),
      );
      return {
        added: networks.filter((network) => !known.has(network)),
        knewAny: known.size > 0,
      };
    });
  }

  #open(raised: RaisedAlert): Alert {
    const { keyNumber, workspaceId, finding, atMs, ticket } = raised;
    const { number: ticketNumber } = insertTicket(this.#connection, {
      ...ticket,
      workspaceId,
      openedBy: server,
      createdAtMs: atMs,
    });
    const row = this.#connection.first(
      this.#connection.queries
        .insertInto('alerts')
        .values({
          workspace_id: workspaceId,
          key_number: keyNumber,
          type: finding.type,
          level: finding.level,
          message: finding.message,
          value: finding.value,
          threshold: finding.threshold,
          status: 'active',
          acknowledged_by: null,
          acknowledged_at_ms: null,
          resolved_by: null,
          resolved_at_ms: null,
          ended_at_ms: null,
          ticket_number: ticketNumber,
          created_at_ms: atMs,
          updated_at_ms: atMs,
        })
        .returningAll(),
    );
    if (row === undefined) throw new Error('An alert vanished while it was stored');
    this.#connection.run(
      this.#connection.queries
        .updateTable('tickets')
        .set({ alert_number: row.number })
        .where('number', '=', ticketNumber),
    );
    const alert = toAlert(row);
    if (raised.delivery !== null) insertDelivery(this.#connection, raised.delivery(alert));
    return alert;
  }

  #refresh(episode: Alert, { finding, atMs }: RaisedAlert): Alert {
    if (episode.status === 'resolved') return episode;
    const { level, message, value, threshold } = finding;
    this.#connection.run(
      this.#update(episode.number).set({ level, message, value, threshold, updated_at_ms: atMs }),
    );
    return { ...episode, ...finding, updatedAtMs: atMs };
  }

  #resolve({ number }: Alert, by: AuditActor, atMs: number, delivery: TellWebhook): void {
    this.#connection.run(
      this.#update(number).set({
        status: 'resolved',
        resolved_by: toActorColumn(by),
        resolved_at_ms: atMs,
        updated_at_ms: atMs,
      }),
    );
    const resolved = this.#find(undefined, number);
    if (delivery !== null && resolved !== null)
      insertDelivery(this.#connection, delivery(resolved));
  }

  #end(number: number, atMs: number): void {
    this.#connection.run(this.#update(number).set({ ended_at_ms: atMs }));
  }

  #update(number: number) {
    return this.#connection.queries.updateTable('alerts').where('number', '=', number);
  }

  /** The condition is text, so that SQLite sees that `alerts_one_episode` is about the same rows. */
  #episodes() {
    return this.#connection.queries.selectFrom('alerts').where(sql<boolean>`ended_at_ms is null`);
  }

  #episode(keyNumber: number, type: AlertType): Alert | null {
    const row = this.#connection.first(
      this.#episodes().selectAll().where('key_number', '=', keyNumber).where('type', '=', type),
    );
    return row === undefined ? null : toAlert(row);
  }

  #find(workspaceId: string | undefined, number: number): Alert | null {
    const row = this.#connection.first(this.#within(workspaceId).where('number', '=', number));
    return row === undefined ? null : toAlert(row);
  }

  #within(workspaceId: string | undefined) {
    const all = this.#connection.queries.selectFrom('alerts').selectAll();
    return workspaceId === undefined ? all : all.where('workspace_id', '=', workspaceId);
  }

  #transaction<Result>(work: () => Result): Result {
    return this.#connection.transaction(this.#durability, work);
  }
}
