import type { ApiKey } from '../key/api-key.ts';
import type { WindowState } from '../limit/limit-window.ts';
import type { Storage } from '../port/storage.ts';
import type { UsageStore } from '../port/usage-store.ts';
import type { Alert, AlertFinding, AlertType } from './alert.ts';
import { alertDelivery } from './alert-delivery.ts';
import {
  type AlertSettings,
  effectiveThresholds,
  standardAlertSettings,
} from './alert-settings.ts';
import { detectExpiry, detectIdle, detectQuota } from './detect-key-state.ts';
import {
  type CallHistory,
  detectErrorSpike,
  detectRateSpike,
  historyStartMs,
  toCallHistory,
} from './detect-spikes.ts';
import { type RaiseAlertDependencies, raiseAlert } from './raise-alert.ts';

export interface EvaluationDependencies extends RaiseAlertDependencies {
  readonly storage: Pick<Storage, 'alerts' | 'keys'>;
  readonly usage: Pick<UsageStore, 'summarize'>;
  /** How a key's limits stand, without a charge. */
  readonly limitsOf: (key: ApiKey) => Promise<readonly WindowState[]>;
}

const hourMs = 3_600_000;

const endings: Readonly<Record<AlertType, string>> = {
  rate_spike: 'The number of calls is back to what is usual.',
  error_spike: 'The share of errors is back to what is usual.',
  new_network: 'No longer looked at.',
  idle_key: 'The key was used again, or disabled.',
  expiry_near: 'The key expired, or its expiry was changed.',
  quota_near: 'Use is back under the mark.',
  quota_reached: 'Use is back under the quota.',
};

/**
 * Looks at everything about a key but its networks, raises what is unusual, and ends what is not so
 * any more.
 */
export async function evaluateKey(
  dependencies: EvaluationDependencies,
  keyNumber: number,
): Promise<void> {
  const { storage, clock } = dependencies;
  const key = await storage.keys.findByNumber(keyNumber);
  if (key === null) return;
  const episodes = await storage.alerts.episodesOf(keyNumber);
  const settings = (await storage.alerts.settings(key.workspaceId)) ?? standardAlertSettings;
  const living = key.revokedAtMs === null;
  const findings = living ? await findingsOf(dependencies, key, settings, episodes) : [];
  for (const finding of findings) await raiseAlert(dependencies, key, finding, settings.webhook);

  for (const { type } of episodes) {
    const goesOn = findings.some((finding) => finding.type === type);
    const momentary = type === 'new_network' && living && !settings.disabledTypes.includes(type);
    if (goesOn || momentary) continue;
    const comment = living ? endings[type] : 'The key was revoked.';
    await storage.alerts.endEpisode(keyNumber, type, {
      atMs: clock.nowMs(),
      comment,
      delivery: alertDelivery(dependencies, 'alert.resolved', settings.webhook),
    });
  }
}

async function findingsOf(
  dependencies: EvaluationDependencies,
  key: ApiKey,
  settings: AlertSettings,
  episodes: readonly Alert[],
): Promise<readonly AlertFinding[]> {
  const nowMs = dependencies.clock.nowMs();
  const thresholds = effectiveThresholds(settings);
  const looksFor = (...types: readonly AlertType[]) =>
    types.some((type) => !settings.disabledTypes.includes(type));
  const isOn = (type: AlertType) => episodes.some((episode) => episode.type === type);

  const least = Math.min(thresholds.rateSpikeMinimumCalls, thresholds.errorSpikeMinimumCalls);
  const history = looksFor('rate_spike', 'error_spike')
    ? await readHistory(dependencies, key, nowMs, least)
    : null;
  const windows = looksFor('quota_near', 'quota_reached') ? await dependencies.limitsOf(key) : [];
  const findings = [
    history === null ? null : detectRateSpike(history, thresholds),
    history === null ? null : detectErrorSpike(history, thresholds),
    detectIdle(key, nowMs, thresholds),
    detectExpiry(key, nowMs, thresholds),
    detectQuota(windows, 'quota_near', thresholds, isOn('quota_near')),
    detectQuota(windows, 'quota_reached', thresholds, isOn('quota_reached')),
  ];
  return findings.filter((finding) => finding !== null && looksFor(finding.type)) as AlertFinding[];
}

/** Null when too few calls were made lately for anything to be a spike: most keys, most of the time. */
async function readHistory(
  { usage }: EvaluationDependencies,
  key: ApiKey,
  nowMs: number,
  leastCalls: number,
): Promise<CallHistory | null> {
  const { number: keyNumber, createdAtMs } = key;
  const toMs = nowMs + 1;
  const lately = toCallHistory(
    await usage.summarize({ keyNumber, fromMs: nowMs - hourMs, toMs }, 'hour'),
    { createdAtMs, nowMs },
  );
  if (Math.max(lately.current.calls, lately.previous.calls) < leastCalls) return null;
  const fromMs = historyStartMs(nowMs);
  return toCallHistory(await usage.summarize({ keyNumber, fromMs, toMs }, 'hour'), {
    createdAtMs,
    nowMs,
  });
}
