import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  type Engine,
  type EngineObserver,
  type EngineReport,
  type EngineSandbox,
  type EngineSandboxSpec,
  type ImagePuller,
  SandgateError,
} from '@sandgate/core';
import { shellCall } from '../quote-shell.ts';
import { requireValidSpec } from '../require-valid-spec.ts';
import { provideConfiguration } from './agent-prelude.ts';
import { guestEngineDirectory, type NamespaceEngineOptions } from './engine-options.ts';
import { ImageTemplates, type StartSource, startSource } from './image/image-templates.ts';
import {
  type LaunchContext,
  type LaunchedSandbox,
  launchSandbox,
  readRecordedProcess,
} from './launch-sandbox.ts';
import { LaunchStock } from './launch-stock.ts';
import { readMountPoints } from './launcher/mount-points.ts';
import { LayerArchive, type SaveListener } from './layer-archive.ts';
import { isBeneathVolume, pathsOutsideLayer } from './mount-plan.ts';
import { NamespaceSandbox } from './namespace-sandbox.ts';
import { SandboxNetworks } from './network/sandbox-networks.ts';
import { FreezerHold } from './pause/freezer-hold.ts';
import type { ProcessHold } from './pause/process-hold.ts';
import { SignalHold } from './pause/signal-hold.ts';
import { type ProbedEngine, probeEngine } from './probe-engine.ts';
import { createRuntimeDirectory, type RuntimeDirectory } from './runtime-directory.ts';
import { Snapshots } from './snapshots.ts';
import { killRecorded } from './stale-processes.ts';
import { resolveImage } from './template/resolve-image.ts';
import { VolumeSources } from './volume-sources.ts';
import { NamespaceVolumes } from './volumes/namespace-volumes.ts';

const mebibyte = 1_048_576;
const guestScripts = `${guestEngineDirectory}/scripts`;
const systemClock: Clock = { nowMs: () => Date.now() };

/**
 * Sandboxes out of Linux namespaces, on this machine and with its own programs. To be used in the
 * server's main thread: what it spawns dies with the thread that spawned it.
 *
 * What a sandbox writes is in its memory, and part of its memory limit, until `stop` or `close` puts
 * it into the layer on disk. A server that is killed, or a sandbox that ends by itself, loses what was
 * written since the start. `reconcile` is to be called before the first start.
 */
export function createNamespaceEngine(options: NamespaceEngineOptions): Engine {
  return new NamespaceEngine(options);
}

class NamespaceEngine implements Engine {
  readonly snapshots: Snapshots;
  readonly volumes: NamespaceVolumes;
  readonly images?: ImagePuller;
  readonly #imageTemplates: ImageTemplates | null;
  readonly #options: NamespaceEngineOptions;
  readonly #clock: Clock;
  readonly #runtime: RuntimeDirectory;
  readonly #sandboxes = new Map<string, Promise<NamespaceSandbox>>();
  readonly #networks: SandboxNetworks;
  #probed: Promise<ProbedEngine> | null = null;
  #stock: LaunchStock | null = null;
  #closed = false;
  #closing: Promise<void> | null = null;
  /** Nobody else uses the runtime directory: it was made here, or taken over by `reconcile`. */
  #ownsRuntime: boolean;

  constructor(options: NamespaceEngineOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#networks = new SandboxNetworks(options, this.#clock);
    this.#runtime = createRuntimeDirectory(options.stateDirectory);
    this.volumes = new NamespaceVolumes(
      this.#runtime,
      async () => (await this.#requireUsable()).context,
    );
    this.snapshots = new Snapshots(this.#runtime.snapshots);
    const { images } = options;
    this.#imageTemplates = images === undefined ? null : new ImageTemplates(images);
    if (this.#imageTemplates !== null) {
      this.images = this.#imageTemplates.puller(async () => (await this.#requireUsable()).context);
    }
    this.#ownsRuntime = this.#runtime.isNew;
  }

  async probe(): Promise<EngineReport> {
    return (await this.#probe()).report;
  }

  async start(spec: EngineSandboxSpec, observer: EngineObserver = {}): Promise<EngineSandbox> {
    requireValidSpec(spec);
    const source = await this.#source(spec);
    if (this.#closed || this.#sandboxes.has(spec.id)) {
      source.release();
      throw new SandgateError(
        'sandbox_busy',
        'The sandbox runs already, or the server is closing.',
      );
    }
    const starting = this.#start(source, observer).catch(explainStart);
    this.#sandboxes.set(spec.id, starting);
    starting.catch(() => {
      source.release();
      if (this.#sandboxes.get(spec.id) === starting) this.#sandboxes.delete(spec.id);
    });
    return starting;
  }

  async removeLayer(id: string): Promise<void> {
    if (this.#sandboxes.has(id)) {
      throw new SandgateError('sandbox_busy', 'The sandbox is running; stop it first.');
    }
    await new LayerArchive(this.#runtime.layers, null).remove(id);
  }

  async layerSizes(): Promise<ReadonlyMap<string, number>> {
    return await new LayerArchive(this.#runtime.layers, null).sizes();
  }

  async reconcile(): Promise<void> {
    const { sandboxes, fifos } = this.#runtime;
    this.#ownsRuntime = true;
    await this.#stock?.clear();
    for (const id of readdirSync(sandboxes).filter((name) => !this.#sandboxes.has(name))) {
      const recorded = readRecordedProcess(join(sandboxes, id));
      if (recorded !== null) killRecorded(recorded);
      await rm(join(sandboxes, id), { recursive: true, force: true });
    }
    await new LayerArchive(this.#runtime.layers, null).removePartial((id) =>
      this.#sandboxes.has(id),
    );
    await this.snapshots.removePartial();
    await this.volumes.reconcile();
    const own = `${process.pid}-`;
    for (const name of readdirSync(fifos).filter((fifo) => !fifo.startsWith(own))) {
      await rm(join(fifos, name), { force: true });
    }
    // It cannot tell a running sandbox's group from a stale one.
    if (this.#sandboxes.size === 0) await (await this.#probe()).context?.limiter.removeStale();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#sandboxes.values()];
    await Promise.allSettled(running.map(async (starting) => (await starting).stop()));
    await this.#stock?.clear();
    const context = this.#probed === null ? null : (await this.#probed).context;
    await context?.unfinished.retry();
    context?.socketOpener?.close();
    await context?.fifos.close();
    await context?.limiter.close();
    // With the last sandbox gone, nothing in there is of use to anyone.
    // What is mounted there is a volume that could not be unmounted.
    const mounted = readMountPoints().some((path) => path.startsWith(`${this.#runtime.root}/`));
    if (this.#ownsRuntime && this.#sandboxes.size === 0 && !mounted) {
      await rm(this.#runtime.root, { recursive: true, force: true });
    }
  }

  async #requireUsable(): Promise<ProbedEngine & { readonly context: LaunchContext }> {
    const { context, report, templates } = await this.#probe();
    if (context !== null) return { context, report, templates };
    const reasons = report.findings.filter((finding) => finding.status === 'missing');
    throw new SandgateError(
      'engine_unavailable',
      'This machine cannot start sandboxes; `msb doctor` says why.',
      { detail: reasons.map((finding) => finding.message).join(' ') },
    );
  }

  #probe(): Promise<ProbedEngine> {
    if (this.#probed === null) {
      const probeId = randomBytes(12).toString('hex');
      this.#probed = probeEngine(this.#options, this.#runtime, probeId);
      this.#probed.catch(() => {
        this.#probed = null;
      });
    }
    return this.#probed;
  }

  /** What `spec` names: an image, or one of the host's templates. */
  async #source(spec: EngineSandboxSpec): Promise<StartSource> {
    const { context, templates } = await this.#requireUsable();
    const { pulledImage } = spec;
    if (pulledImage === undefined) {
      const template = resolveImage(spec.image, templates);
      if (template.image !== undefined) {
        const { held, programs } = template.image;
        // For as long as the server runs: it is a template.
        return { ...startSource(context, spec, held, programs), release: () => {} };
      }
      const accounts = { passwd: '', group: '' };
      return { context, spec, template, accounts, makesWorkdir: false, release: () => {} };
    }
    if (this.#imageTemplates === null) {
      throw new SandgateError('image_unknown', `The image ${pulledImage} is not here.`);
    }
    return await this.#imageTemplates.open(context, spec, pulledImage);
  }

  async #start(source: StartSource, observer: EngineObserver): Promise<NamespaceSandbox> {
    const { context, spec, template } = source;
    context.fifos.prepare();
    this.#stock ??= new LaunchStock(context);
    const stock = this.#stock;
    const archive =
      context.tools.archive === null
        ? null
        : new LayerArchive(this.#runtime.layers, context.tools.archive);
    const stored = storedFiles(spec, context, archive, this.snapshots);
    const configuration = provideConfiguration(spec.hostname, source.accounts);
    const mounted = [...spec.mounts, ...(spec.volumes ?? [])];
    const makesWorkdir = source.makesWorkdir || isBeneathVolume(spec.workdir, mounted);
    const { memoryMib } = spec.resources;
    const volumes = await this.volumes.attach(context, spec.volumes ?? [], memoryMib);
    let volumeSources: VolumeSources | null = null;
    let launched: LaunchedSandbox;
    try {
      volumeSources = new VolumeSources(spec.mounts);
      const plan = makesWorkdir ? { ...spec, workdir: '/' } : spec;
      launched = await launchSandbox(context, plan, template, {
        stock,
        volumes,
        firstCalls: stored === null ? configuration : '',
      });
    } catch (cause) {
      volumeSources?.close();
      await volumes.detach();
      throw cause;
    }
    const save = (
      target: LayerArchive,
      id: string,
      from: NamespaceSandbox,
      listener: SaveListener,
    ): Promise<number> =>
      target.save(
        id,
        spec.resources.diskMib * mebibyte,
        pathsOutsideLayer(launched.steps),
        (request) => from.execInternally(request),
        listener,
      );
    const network = this.#networks.create(context.socketOpener, launched.process, spec, observer);
    const sandbox = new NamespaceSandbox({
      spec,
      languages: template.languages,
      process: launched.process,
      kernelsCompiled: context.kernelsCompiled,
      filePrograms: context.tools.filePrograms,
      terminal: context.terminal,
      group: launched.group,
      hold: createHold(context, launched),
      clock: this.#clock,
      saveLayer: async (stopping, listener) => {
        if (archive !== null) await save(archive, spec.id, stopping, listener);
      },
      saveSnapshot: (held, id, listener) =>
        this.snapshots.make(id, context.tools.archive, (target) =>
          save(target, id, held, listener),
        ),
      network,
      saveVolumes: volumes.inMemory
        ? (stopping, onLeftOut) =>
            volumes.save((request) => stopping.execInternally(request), onLeftOut)
        : null,
      release: async () => {
        try {
          await launched.release();
          await volumes.detach();
        } finally {
          source.release();
          this.#sandboxes.delete(spec.id);
        }
      },
    });
    try {
      await launched.process.ready;
      const opened = network.setPolicy(spec.egress ?? { mode: 'deny_all' });
      // Awaited at the end: the rest of the start need not wait for it.
      opened.catch(() => {});
      await volumeSources.requireMounted((request) => sandbox.execInternally(request));
      if (makesWorkdir) launched.process.send(shellCall('mkdir', '-p', '--', spec.workdir));
      if (stored !== null) {
        await stored.archive.restore(stored.id, (request) => sandbox.execInternally(request));
        launched.process.send(configuration);
      }
      await volumes.restore((request) => sandbox.execInternally(request));
      for (const [name, text] of Object.entries(spec.scripts)) {
        await sandbox.writeFile(`${guestScripts}/${name}`, Buffer.from(text), { mode: 0o755 });
      }
      await opened;
      // What it begins with is what it comes back with, should it end by itself before its first stop and
      // the snapshot be gone by then.
      if (archive?.has(spec.id) === false) await stored?.archive.lend(stored.id, archive, spec.id);
      if (!this.#closed) stock.refillFor(spec.resources);
      return sandbox;
    } catch (cause) {
      await sandbox.discard();
      throw cause;
    } finally {
      volumeSources.close();
    }
  }
}

/** What the system refuses is told as the engine's failure, with the reason for the operator alone. */
function explainStart(cause: unknown): never {
  if (cause instanceof SandgateError) throw cause;
  throw new SandgateError('engine_failed', 'The sandbox could not be started.', { cause });
}

function createHold({ limiter }: LaunchContext, { group, process }: LaunchedSandbox): ProcessHold {
  const { pid } = process;
  if (pid === undefined) throw new Error('the launcher has no process id');
  return limiter.freezer ? new FreezerHold(group, pid) : new SignalHold(pid);
}

/**
 * Where the files of a sandbox's last run are, or those of the snapshot that it begins with.
 * @throws SandgateError `snapshot_not_found`, `capability_missing`
 */
function storedFiles(
  { id, fromSnapshot }: EngineSandboxSpec,
  { tools }: LaunchContext,
  layers: LayerArchive | null,
  snapshots: Snapshots,
): { readonly archive: LayerArchive; readonly id: string } | null {
  if (layers?.has(id) === true) return { archive: layers, id };
  if (fromSnapshot === undefined) return null;
  return { archive: snapshots.require(fromSnapshot, tools.archive), id: fromSnapshot };
}
