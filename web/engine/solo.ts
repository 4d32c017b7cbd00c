import { type Catalogue, createExperiment, type Experiment, nextSteps, type Run, runTrial } from '../../src/browser.ts';
import { createProbe, type Probed } from './probe.ts';
import type { Place } from './synapse.ts';

/**
 * Stream 0 alone, with its traces. Where weights change between trials, fast execution keeps no traces, or makes them at the end, and sums over
 * streams; here the same trial runs in the plain loops (in fixed point in its own), one stream, online, so that every step says what it adds to
 * the gradient.
 */
export interface Solo {
  /** @param shown the run that has just done the trial: its rows have what the task wrote */
  explain(shown: Run, place: Place, others: readonly Place[]): Probed;
}

/** What a task writes for a trial. */
const given = ['x', 'target', 'expected', 'weight'] as const;

/** @param original is only read; of a network that changes between trials, for which `unexplained` has no reason */
export function createSolo(original: Experiment, catalogue: Catalogue): Solo {
  const { config } = original;
  const { streams, total } = config.training;
  const training = { ...config.training, streams: 1, total: Math.ceil(total / streams), execution: 'online' };
  const backend = config.fixed ? 'fixed' : 'reference';
  const { run } = createExperiment({ ...config, backend, training }, catalogue).observer(1, 'train');
  return {
    explain(shown, place, others) {
      adopt(run, original.run);
      const steps = nextSteps(run, original.task, run.totalSteps);
      for (const name of given) {
        const rows = run.network.trial[name].data;
        rows.set(shown.network.trial[name].data.subarray(0, rows.length));
      }
      const probe = createProbe(run, place, others, steps);
      runTrial(run, steps, { learn: true, freeze: true, onStep: probe.read });
      return probe.rows();
    },
  };
}

/** Whether every step changes weights: then the traces are there at every step, whatever the backend. */
export const learnsInSteps = ({ network: { spec } }: Run): boolean => spec.update.unit === 'step';

/** Whether learning signals wait for the end of a window. */
export function windowed({ network: { spec } }: Run): boolean {
  return spec.populations.some(({ signals }) => signals.some(({ window }) => window !== null && window.steps > 1));
}

/** Synapses times steps of a trial that are done again within some tenths of a second. */
const mostWork = 3e7;

/** Why traces and terms cannot be shown at every step; null: they can. */
export function unexplained({ run, task }: Pick<Experiment, 'run' | 'task'>): string | null {
  const { spec } = run.network;
  if (windowed(run)) {
    return 'Signals of this rule are known at the end of a window, and traces wait for them.';
  }
  if (spec.modulator !== null && !learnsInSteps(run)) {
    return 'The modulator is known at the end of a trial, and traces wait for it.';
  }
  if (task.environment) return 'The task answers what all streams do, so that none can be followed alone.';
  if (spec.direct || spec.passes) return 'This rule makes its gradient without traces.';
  const synapses = spec.projections.reduce((sum, { synapses: { nSyn } }) => sum + nSyn, 0);
  if (learnsInSteps(run) || synapses * spec.sizes.step <= mostWork) return null;
  return `Traces of ${synapses.toLocaleString('en-GB')} synapses over ${spec.sizes.step} steps are too many to be followed here.`;
}

/** The state of a run of many streams, for a run of its first one alone. Traces that the run does not keep begin at their rest. */
function adopt(solo: Run, original: Run): void {
  const held = new Set(original.network.state.table.map(({ name }) => name));
  for (const { name, length } of solo.network.state.table) {
    const to = solo.network.state.field(name);
    if (held.has(name)) to.set(original.network.state.field(name).subarray(0, length));
    else to.fill(0);
  }
  Object.assign(solo.clock, original.clock);
}
