import type { Clock, EgressPolicy, EngineObserver, EngineSandboxSpec } from '@sandgate/core';
import { EgressGate } from '../../egress/egress-gate.ts';
import { EgressProxy } from '../../egress/egress-proxy.ts';
import { createNameResolver, type ResolveName } from '../../egress/resolve-name.ts';
import {
  defaultEgressRules,
  defaultMaxEgressConnections,
  type NamespaceEngineOptions,
} from '../engine-options.ts';
import { SandboxNetwork, type SandboxNetworkParts } from './sandbox-network.ts';

const nothing: EgressPolicy = { mode: 'deny_all' };

/** What the networks of all sandboxes of an engine share. */
export class SandboxNetworks {
  readonly #rules;
  readonly #clock: Clock;
  readonly #resolve: ResolveName;
  readonly #proxy: EgressProxy;

  constructor(options: NamespaceEngineOptions, clock: Clock) {
    this.#proxy = new EgressProxy(options.maxEgressConnections ?? defaultMaxEgressConnections);
    this.#rules = options.egress ?? defaultEgressRules;
    this.#resolve = createNameResolver(options.nameServers);
    this.#clock = clock;
  }

  /** With nothing allowed yet. */
  create(
    opener: SandboxNetworkParts['opener'],
    process: SandboxNetworkParts['process'],
    spec: Pick<EngineSandboxSpec, 'id'>,
    observer: EngineObserver,
  ): SandboxNetwork {
    const gate = new EgressGate({
      sandboxId: spec.id,
      policy: nothing,
      rules: this.#rules,
      resolve: this.#resolve,
      clock: this.#clock,
      onDenied: observer.onEgressDenied,
    });
    return new SandboxNetwork({ opener, process, proxy: this.#proxy, gate });
  }
}
