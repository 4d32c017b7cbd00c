import { type Catalogue, createExperiment, type Experiment, nextSteps, runTrial } from '../../src/browser.ts';
import type { Line } from '../views/types.ts';
import { activeCells, type Cell } from './rows.ts';
import { type Place, sentAt } from './synapse.ts';

/** A second network that does the next trial of the first one step by step, to the same bits, while the first stands still. */
export interface Twin {
  /** Its rows and states are those of the last trial that it was shown. */
  readonly experiment: Experiment;
  look(cells: readonly Cell[], synapse: Place | null): Looked;
}

/** What only a trial that is run step by step shows. */
export interface Looked {
  readonly steps: number;
  readonly membranes: readonly Line[];
  /** What the synapse was sent, and its weight. [steps]; null: no synapse was asked for */
  readonly synapse: { readonly input: Float32Array; readonly weight: Float32Array; readonly after: number } | null;
}

/** @param original is only read */
export function createTwin(original: Experiment, catalogue: Catalogue): Twin {
  const experiment = createExperiment(original.config, catalogue);
  const { run, feed, task } = experiment;
  return {
    experiment,
    look(cells, place) {
      run.network.state.data.set(original.run.network.state.data);
      Object.assign(run.clock, original.run.clock);
      const steps = nextSteps(run, task, run.totalSteps);
      const membranes = cells.map((cell) => membraneOf(experiment, cell, steps));
      const weights = place && run.network.weights[run.network.spec.projections[place.part].name];
      const input = new Float32Array(place ? steps : 0);
      const weight = new Float32Array(place ? steps : 0);
      feed.fill(steps);
      runTrial(run, steps, {
        learn: true,
        answer: feed.answer,
        onStep(t) {
          for (const membrane of membranes) membrane.read(t);
          if (!place || !weights) return;
          input[t] = sentAt(run, place, t);
          weight[t] = weights[place.s];
        },
      });
      const synapse = place && weights ? { input, weight, after: weights[place.s] } : null;
      return { steps, membranes: membranes.flatMap(({ lines }) => lines), synapse };
    },
  };
}

/** The neurons that the trial before has shown to be active. */
export function cellsOf({ run, task }: Experiment): Cell[] {
  return activeCells(run, nextSteps(run, task, run.totalSteps));
}

/** The membrane of a neuron, and its threshold where it has one of its own. */
function membraneOf({ run }: Experiment, { population, neuron: j, label, colour }: Cell, steps: number) {
  const { spec, state } = run.network;
  const { name, size, neuron } = spec.populations[population];
  const views = state.views(`population.${name}`);
  const v = views[neuron.membrane];
  const values = new Float32Array(steps);
  const level = new Float32Array(neuron.threshold ? steps : 0);
  const thresholds = new Float64Array(size);
  const lines: Line[] = [{ label, values, dashed: false, colour }];
  if (neuron.threshold) lines.push({ label: `threshold of ${label}`, values: level, dashed: true, colour });
  return {
    lines,
    read(t: number): void {
      values[t] = v[j];
      if (!neuron.threshold) return;
      neuron.threshold(views, 0, thresholds);
      level[t] = thresholds[j];
    },
  };
}
