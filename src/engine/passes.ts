import { bindingOfPasses } from '../core/bindings.ts';
import type { Real, Role } from '../core/layout.ts';
import type { Network } from '../core/network.ts';
import type { BoundPasses, PassesInstance } from '../core/passes.ts';

/** The rule in passes of a network, and the states that its passes begin with. */
export interface RunPasses {
  readonly rule: PassesInstance;
  readonly bound: BoundPasses;
  /** States as the trial found them, and as the first pass has left them. */
  readonly start: Snapshot;
  readonly first: Snapshot;
  /** Of the last pass. [stream] */
  readonly loss: Float64Array;
}

export interface Snapshot {
  take(): void;
  putBack(): void;
}

const moving: readonly Role[] = ['neuron', 'readout', 'past'];

/** @returns null for a network without one */
export function bindPasses(network: Network): RunPasses | null {
  const { spec } = network;
  if (!spec.passes) return null;
  return {
    rule: spec.passes,
    bound: spec.passes.bind(bindingOfPasses(network)),
    start: snapshotOf(network),
    first: snapshotOf(network),
    loss: new Float64Array(spec.sizes.stream),
  };
}

/** What moves on from step to step; weights and what a rule keeps are none of it. */
function snapshotOf({ state }: Network): Snapshot {
  const fields = state.table.filter(({ role }) => moving.includes(role)).map(({ name }) => state.field(name));
  const copies: Real[] = fields.map((field) => field.slice());
  return {
    take() {
      for (let f = 0; f < fields.length; f++) copies[f].set(fields[f]);
    },
    putBack() {
      for (let f = 0; f < fields.length; f++) fields[f].set(copies[f]);
    },
  };
}
