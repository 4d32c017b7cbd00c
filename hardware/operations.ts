import { type Check, pass } from './check.ts';
import type { Demand, DemandedProjection, Learning } from './demand.ts';
import type { ChipProfile } from './profile.ts';

/** What one stream of a network does in a step, on average. */
export interface Operations {
  /** Products that are added to a number. */
  readonly multiplyAdds: number;
  /** Numbers of neurons, traces and signals. */
  readonly stateReads: number;
  /** The same, written. */
  readonly stateWrites: number;
  /** Rows of weights: all synapses of one source. */
  readonly rowReads: number;
  /** The same, written. */
  readonly rowWrites: number;
  /** Random numbers, where the chip rounds stochastically. */
  readonly draws: number;
}

/** Operations of a step of one stream. */
export interface OperationCount {
  /** Spikes that were assumed. */
  readonly activity: Demand['activity'];
  /** Weights that are added to a membrane or a readout. */
  readonly synapticEvents: number;
  /** Without learning. */
  readonly inference: Operations;
  /** What learning adds. */
  readonly learning: Operations;
}

/** Energy of a step: a range, since no chip publishes an energy of learning. */
export interface Energy {
  /** Of synaptic events, pJ. */
  readonly low: number;
  /** Of these and of every multiply-add of learning, counted as one, pJ. */
  readonly high: number;
  /** Of one synaptic event, pJ. */
  readonly pJPerEvent: number;
  /** Where that number is from. */
  readonly source: string;
}

/** Operations per step at the assumed activity, inputs taken as active as neurons; a bias is on at every step. */
export function operationsOf(demand: Demand, chip: ChipProfile): OperationCount {
  const { activity, projections, readouts, synapses } = demand;
  const rate = activity.spikesPerStep;
  const synapticEvents = synapticEventsOf(demand);
  const state = demand.inference.reduce((sum, { count }) => sum + count, 0);
  const draws = chip.stochasticRounding ? 1 : 0;
  return {
    activity,
    synapticEvents,
    inference: {
      multiplyAdds: synapticEvents + state,
      stateReads: state,
      stateWrites: state,
      rowReads:
        total(projections.map((projection) => activeSources(projection, rate))) +
        rate * total(readouts.map(({ sources }) => sources)),
      rowWrites: 0,
      draws: draws * state,
    },
    learning: demand.learning ? learningOperations(demand, demand.learning, synapses, draws) : none,
  };
}

/** Sources of a projection that are active in a step; a bias is always. */
function activeSources({ sources, bias }: DemandedProjection, rate: number): number {
  return (sources - (bias ? 1 : 0)) * rate + (bias ? 1 : 0);
}

/** Weights that are added to a membrane or a readout in a step of one stream, at the assumed activity. */
export function synapticEventsOf({ activity, projections, readoutSynapses }: Demand): number {
  const rate = activity.spikesPerStep;
  const events = projections.map((projection) => {
    return (activeSources(projection, rate) * projection.synapses) / projection.sources;
  });
  return total(events) + rate * readoutSynapses;
}

const none: Operations = { multiplyAdds: 0, stateReads: 0, stateWrites: 0, rowReads: 0, rowWrites: 0, draws: 0 };

/**
 * Traces and vectors move at every step, every synapse gets its product; matrices of the rule are read once and changed once.
 * The error is brought back through a matrix as large as the readout's.
 */
function learningOperations(
  { neurons, projections, readouts, recurrentSynapses, readoutSynapses }: Demand,
  { variables, factored, direct, jacobianProducts }: Learning,
  synapses: number,
  draws: number,
): Operations {
  const countOf = (...kinds: string[]) =>
    variables.reduce((sum, { kind, count }) => sum + (kinds.includes(kind) ? count : 0), 0);
  const traces = countOf('trace', 'vector');
  const matrices = variables.filter(({ kind, home }) => kind === 'matrix' && home !== 'post');
  const learned = total(matrices.map(({ count }) => count));
  const products = direct ? synapses + jacobianProducts * recurrentSynapses : (factored ? 2 : 1) * synapses;
  const rows = total([...projections, ...readouts].map(({ sources }) => sources));
  const ownRows = total(matrices.map((matrix) => matrix.count / matrix.neurons));
  return {
    multiplyAdds: traces + products + 2 * readoutSynapses + 2 * learned,
    // One row of the past is written at each step and all that is kept is read once on the way back.
    stateReads: traces + countOf('sum') + pastRow(variables),
    stateWrites: traces + countOf('sum') + pastRow(variables),
    rowReads: rows + neurons + 2 * ownRows + jacobianProducts * neurons,
    rowWrites: rows + ownRows,
    draws: draws * (traces + synapses + readoutSynapses + learned),
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Numbers of one step among those that are kept of the past. */
function pastRow(variables: Learning['variables']): number {
  return variables.reduce((sum, { perStep }) => sum + (perStep ?? 0), 0);
}

export function energyOf({ synapticEvents, learning }: OperationCount, chip: ChipProfile): Energy | null {
  const { value, source, kind } = chip.energyPerSynapticEvent;
  if (value === null) return null;
  return {
    low: synapticEvents * value,
    high: (synapticEvents + learning.multiplyAdds) * value,
    pJPerEvent: value,
    source: `${kind}: ${source}`,
  };
}

export function energyCheck(energy: Energy | null): Check {
  if (!energy) return pass('energy', 'no figure');
  const { low, high, pJPerEvent, source } = energy;
  return pass(
    'energy',
    `${low.toPrecision(3)} pJ a step for synaptic events alone, ${high.toPrecision(3)} with every product of learning as one; ${pJPerEvent} pJ each (${source})`,
  );
}
