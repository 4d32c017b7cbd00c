import { type Catalogue, createExperiment, type Experiment, nextSteps, runTrial } from '../../src/browser.ts';
import type { Line } from '../views/types.ts';
import { createProbe, type Probed } from './probe.ts';
import { type Cell, rowNow } from './rows.ts';
import type { Place } from './synapse.ts';

/** A second network that does the next trial of the first one step by step, to the same bits, while the first stands still. */
export interface Twin {
  /** Its rows and states are those of the last trial that it was shown. */
  readonly experiment: Experiment;
  /** @param others synapses whose traces are read beside that of the first */
  look(cells: readonly Cell[], synapse: Place | null, others: readonly Place[]): Looked;
}

/** What only a trial that is run step by step shows. */
export interface Looked {
  readonly steps: number;
  readonly membranes: readonly Line[];
  /** Learning signals of the same neurons, by channel; none of populations without a rule. */
  readonly signals: readonly Line[];
  /** Null: no synapse was asked for. */
  readonly synapse: Probed | null;
}

/** @param original is only read */
export function createTwin(original: Experiment, catalogue: Catalogue): Twin {
  const experiment = createExperiment(original.config, catalogue);
  const { run, feed, task } = experiment;
  return {
    experiment,
    look(cells, synapse, others) {
      run.network.state.data.set(original.run.network.state.data);
      Object.assign(run.clock, original.run.clock);
      const steps = nextSteps(run, task, run.totalSteps);
      const membranes = cells.map((cell) => membraneOf(experiment, cell, steps));
      const signals = cells.flatMap((cell) => signalsOf(experiment, cell, steps));
      const probe = synapse && createProbe(run, synapse, others, steps);
      feed.fill(steps);
      runTrial(run, steps, {
        learn: true,
        answer: feed.answer,
        onStep(t) {
          for (const one of [...membranes, ...signals]) one.read(t);
          probe?.read(t);
        },
      });
      const linesOf = (all: readonly Read[]) => all.flatMap(({ lines }) => lines);
      return { steps, membranes: linesOf(membranes), signals: linesOf(signals), synapse: probe?.rows() ?? null };
    },
  };
}

/** Lines that are read step by step. */
interface Read {
  readonly lines: readonly Line[];
  read(t: number): void;
}

/** Signals are read when they are made: what teaches with them may leave other numbers in their rows. */
function signalsOf({ run }: Experiment, { population, neuron, label, colour }: Cell, steps: number): Read[] {
  return run.network.activity[population].signals.map((rows, channel) => {
    const values = new Float32Array(steps);
    const name = channel === 0 ? label : `${label}, channel ${channel + 1}`;
    return {
      lines: [{ label: name, values, dashed: channel > 0, colour }],
      read(t) {
        values[t] = rows.data[rowNow(rows, t) + neuron];
      },
    };
  });
}

/** The membrane of a neuron, and its threshold where it has one of its own. */
function membraneOf({ run }: Experiment, { population, neuron: j, label, colour }: Cell, steps: number): Read {
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
