import { SandgateError } from '../error/sandgate-error.ts';
import { type AlertType, alertTypes, isAlertType } from './alert.ts';

export interface AlertThresholds {
  /** How many times the busiest hour of the week before an hour must have. */
  readonly rateSpikeFactor: number;
  /** Fewer calls in an hour are never a spike. */
  readonly rateSpikeMinimumCalls: number;
  /** Which share of the calls that usually succeed must fail, from 0 to 1. */
  readonly errorSpikeShare: number;
  /** With fewer calls in an hour, errors are never a spike. */
  readonly errorSpikeMinimumCalls: number;
  readonly idleDays: number;
  readonly expiryNoticeDays: number;
  /** Which share of the daily quota is near its end, from 0 to 1. */
  readonly quotaNearShare: number;
}

interface Threshold {
  readonly standard: number;
  readonly least: number;
  readonly most: number;
}

/** Standard values, and what may be set. */
export const alertThresholds: Readonly<Record<keyof AlertThresholds, Threshold>> = {
  rateSpikeFactor: { standard: 3, least: 1.1, most: 1_000 },
  rateSpikeMinimumCalls: { standard: 100, least: 1, most: 1_000_000_000 },
  errorSpikeShare: { standard: 0.25, least: 0.01, most: 1 },
  errorSpikeMinimumCalls: { standard: 50, least: 1, most: 1_000_000_000 },
  idleDays: { standard: 90, least: 1, most: 3_650 },
  expiryNoticeDays: { standard: 7, least: 1, most: 365 },
  quotaNearShare: { standard: 0.8, least: 0.01, most: 0.99 },
};

export interface AlertWebhook {
  /** 24 hex digits; new with each address that is set, and the signing secret with it. */
  readonly id: string;
  readonly url: string;
  /** The server key that its secret was made of. */
  readonly serverKeyVersion: number;
}

/** What a workspace wants to be told, or (workspace null) what is told about keys of all of them. */
export interface AlertSettings {
  readonly disabledTypes: readonly AlertType[];
  /** Only those that differ from the standard. */
  readonly thresholds: Partial<AlertThresholds>;
  readonly webhook: AlertWebhook | null;
  /** 0 for settings that were never made. */
  readonly updatedAtMs: number;
}

export const standardAlertSettings: AlertSettings = {
  disabledTypes: [],
  thresholds: {},
  webhook: null,
  updatedAtMs: 0,
};

const thresholdNames = Object.keys(alertThresholds) as (keyof AlertThresholds)[];

/** All thresholds, the standard ones where a workspace has none of its own. */
export function effectiveThresholds({ thresholds }: AlertSettings): AlertThresholds {
  const standard = Object.fromEntries(
    thresholdNames.map((name) => [name, alertThresholds[name].standard]),
  );
  return { ...(standard as unknown as AlertThresholds), ...thresholds };
}

/** @throws SandgateError `invalid_request` */
export function requireAlertTypes(types: readonly string[]): readonly AlertType[] {
  const unknown = types.filter((type) => !isAlertType(type));
  if (unknown.length > 0) {
    throw new SandgateError(
      'invalid_request',
      `Unknown alert type. Known types: ${alertTypes.join(', ')}`,
    );
  }
  return alertTypes.filter((type) => types.includes(type));
}

/** @throws SandgateError `invalid_request` */
export function requireThresholds(
  given: Readonly<Record<string, number>>,
): Partial<AlertThresholds> {
  for (const [name, value] of Object.entries(given)) {
    const range = thresholdNames.some((known) => known === name)
      ? alertThresholds[name as keyof AlertThresholds]
      : undefined;
    if (range === undefined) {
      throw new SandgateError(
        'invalid_request',
        `Unknown threshold. Known thresholds: ${thresholdNames.join(', ')}`,
      );
    }
    if (!(value >= range.least && value <= range.most)) {
      throw new SandgateError(
        'invalid_request',
        `${name} must be a number from ${range.least} to ${range.most}`,
      );
    }
  }
  return given as Partial<AlertThresholds>;
}
