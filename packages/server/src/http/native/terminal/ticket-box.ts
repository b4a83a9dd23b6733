import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { type Clock, type Randomness, SandgateError } from '@sandgate/core';

const ticketBytes = 32;
/** Long enough to open a connection with it, and no longer. */
export const ticketLifetimeMs = 30_000;
/** Of one server, not yet used. */
const maxTickets = 10_000;

/** What a ticket stands for. */
export interface TicketRight {
  /** As it was presented, for the same check of the same key; null in development mode. */
  readonly credential: string | null;
  /** Slug. */
  readonly workspace: string;
  readonly sandboxId: string;
}

interface Held {
  readonly sealed: Buffer;
  readonly tag: Buffer;
  readonly expiresAtMs: number;
}

/**
 * Tickets that stand for a key once, for a short time and for one sandbox: browsers cannot send a key
 * with a WebSocket. What is held is sealed by the ticket itself, which is not held: nobody who sees this
 * memory has a key. Another server knows nothing of them.
 */
export class TicketBox {
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #held = new Map<string, Held>();

  constructor({ clock, randomness }: { readonly clock: Clock; readonly randomness: Randomness }) {
    this.#clock = clock;
    this.#randomness = randomness;
  }

  /** @throws SandgateError `capacity_exceeded` */
  issue(right: TicketRight): { readonly ticket: string; readonly expiresAtMs: number } {
    this.#forgetExpired();
    if (this.#held.size >= maxTickets) {
      throw new SandgateError('capacity_exceeded', 'Too many tickets wait to be used. Try again', {
        data: { retryAfterMs: ticketLifetimeMs },
      });
    }
    const ticket = Buffer.from(this.#randomness.bytes(ticketBytes)).toString('base64url');
    const expiresAtMs = this.#clock.nowMs() + ticketLifetimeMs;
    const cipher = createCipheriv('aes-256-gcm', digest('seal', ticket), sealNonce);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(right)), cipher.final()]);
    this.#held.set(nameOf(ticket), { sealed, tag: cipher.getAuthTag(), expiresAtMs });
    return { ticket, expiresAtMs };
  }

  /** Null for one that there is not, or not any more: it has been used, or its time is over. */
  redeem(ticket: string): TicketRight | null {
    const name = nameOf(ticket);
    const held = this.#held.get(name);
    this.#held.delete(name);
    if (held === undefined || held.expiresAtMs <= this.#clock.nowMs()) return null;
    const decipher = createDecipheriv('aes-256-gcm', digest('seal', ticket), sealNonce);
    decipher.setAuthTag(held.tag);
    const text = Buffer.concat([decipher.update(held.sealed), decipher.final()]);
    return JSON.parse(text.toString());
  }

  /** They are in the order in which they expire. */
  #forgetExpired(): void {
    const nowMs = this.#clock.nowMs();
    for (const [name, { expiresAtMs }] of this.#held) {
      if (expiresAtMs > nowMs) return;
      this.#held.delete(name);
    }
  }
}

/** Each ticket is a key of its own, and seals one text: a nonce would add nothing. */
const sealNonce = Buffer.alloc(12);

const digest = (purpose: string, ticket: string): Buffer =>
  createHash('sha256').update(`${purpose}:${ticket}`).digest();

const nameOf = (ticket: string): string => digest('name', ticket).toString('hex');
