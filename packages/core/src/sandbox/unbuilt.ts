import { SandgateError } from '../error/sandgate-error.ts';
import type { Sandboxes } from './sandboxes.ts';

const refuse = (): never => {
  throw new SandgateError('capability_missing', 'This server cannot do that yet');
};
const refuseLater = async (): Promise<never> => refuse();

/** What the interface promises and this server does not do yet. */
export const unbuilt = {
  create: refuseLater,
  pause: refuseLater,
  resume: refuseLater,
  setEgress: refuseLater,
  update: refuseLater,
  list: refuseLater,
  wait: refuseLater,
  stats: refuseLater,
  readLog: refuseLater,
  followLog: refuse,
  templates: () => [],
  usage: refuseLater,
  events: refuse,
  files: refuseLater,
  openTerminal: refuseLater,
  dial: refuseLater,
  startProcess: refuseLater,
  listProcesses: refuseLater,
  findProcess: refuseLater,
  processOutput: refuse,
  writeProcessInput: refuseLater,
  signalProcess: refuseLater,
  waitForProcess: refuseLater,
  createSnapshot: refuseLater,
  findSnapshot: refuseLater,
  waitForSnapshot: refuseLater,
  listSnapshots: refuseLater,
  deleteSnapshot: refuseLater,
  createVolume: refuseLater,
  findVolume: refuseLater,
  listVolumes: refuseLater,
  deleteVolume: refuseLater,
} satisfies Partial<Sandboxes>;
