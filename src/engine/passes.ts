import { bindingOfPasses } from '../core/bindings.ts';
import type { Real, Role } from '../core/layout.ts';
import type { Network, Stages } from '../core/network.ts';
import { plainArrays } from '../core/noise.ts';
import type { BoundPasses, PassesInstance } from '../core/plugins.ts';

/** The rule in passes of a network, and the states that its passes begin with. */
export interface RunPasses {
  readonly rule: PassesInstance;
  readonly bound: BoundPasses;
  /** States as the trial found them; and as the first pass has left them, with what it did. */
  readonly start: Snapshot;
  readonly first: Snapshot;
  /** What the first pass did. */
  readonly done: Snapshot;
  /** Of the last pass. [stream] */
  readonly loss: Float64Array;
}

export interface Snapshot {
  take(): void;
  putBack(): void;
}

/** Groups of state that move on from step to step. */
export const moving: readonly Role[] = ['neuron', 'readout', 'past'];

/** @returns null for a network without one */
export function bindPasses(network: Network, stages: Stages): RunPasses | null {
  const { spec } = network;
  if (!spec.passes) return null;
  return {
    rule: spec.passes,
    bound: spec.passes.bind(
      bindingOfPasses(network, {
        correlate: (steps) => stages.correlate?.(steps),
        arrays: stages.arrays ?? plainArrays,
      }),
    ),
    start: snapshotOf(statesOf(network)),
    first: snapshotOf(statesOf(network)),
    done: snapshotOf(rowsOf(network)),
    loss: new Float64Array(spec.sizes.stream),
  };
}

/** What moves on from step to step; weights and what a rule keeps are none of it. */
function statesOf({ state }: Network): Real[] {
  return state.table.filter(({ role }) => moving.includes(role)).map(({ name }) => state.field(name));
}

/** What a pass writes over all its steps. */
function rowsOf({ trial, activity }: Network): Real[] {
  const rows = [...activity.flatMap(({ z, psi, current }) => [z, psi, current]), trial.y, trial.error];
  return rows.map(({ data }) => data);
}

function snapshotOf(fields: readonly Real[]): Snapshot {
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
