import {
  type Catalogue,
  createExperiment,
  type Experiment,
  meritOf,
  nextSteps,
  type RunEvent,
} from '../../src/browser.ts';
import type { Frame, RunInfo, Spikes, SynapseName, SynapseRows, WeightRows } from '../views/types.ts';
import type { Probed } from './probe.ts';
import type { Watch } from './protocol.ts';
import { activeCells, type Cell, neuronSpikes, outputLines, spikesOf } from './rows.ts';
import { createSolo, learnsInSteps, type Solo, unexplained, windowed } from './solo.ts';
import { largestOnto, matrixOf, type Place, placeOf, projectionInfos } from './synapse.ts';
import { createTwin, type Twin } from './twin.ts';

/** A run that can be looked at while it trains. Whatever is looked at, it trains to the same bits. */
export interface Session {
  readonly info: RunInfo;
  readonly experiment: Experiment;
  /** Symbols or trials done. */
  readonly amount: number;
  /** Nothing is left to train. */
  readonly ended: boolean;
  /** Score of the evaluation at the end; null before it. */
  readonly evaluation: number | null;
  /** Trains one trial; the evaluation comes with the last one. @returns false where nothing was left */
  trial(): boolean;
  /** The trial just trained, as far as its rows say. @param points of the curve that the page has */
  frame(watch: Watch, points: number): Frame;
  /** The trial that comes next, done on a copy step by step; null at the end. */
  replay(watch: Watch, points: number): Frame | null;
}

/** Bytes that a run may take in a page. */
const mostBytes = 2 ** 30;
/** Synapses onto one neuron whose traces are shown together. */
const shownTraces = 4;
/** Length of time over which the speed is measured, ms. */
const speedWindowMs = 2000;

/** @param now a clock, ms @throws ConfigError, UnsupportedError */
export function createSession(
  input: unknown,
  catalogue: Catalogue,
  now: () => number,
  tell: (warning: string) => void,
): Session {
  const experiment = createExperiment(input, catalogue, { maxBytes: mostBytes });
  const { run, feed, task } = experiment;
  const merit = meritOf(task, run.network.spec);
  const amounts: number[] = [];
  const scores: number[] = [];
  const speed = createSpeed(now);
  let rateHz = Number.NaN;
  let evaluation: number | null = null;
  let ended = false;
  const trials = experiment.trainTrials({
    listener(event: RunEvent) {
      if (event.type === 'trial') {
        amounts.push(event.amount);
        scores.push(merit.of(event));
        rateHz = event.rateHz;
        speed.at(event.amount);
      } else if (event.type === 'evaluation') evaluation = merit.of(event);
      else if (event.type === 'warning') tell(event.message);
    },
  });
  let twin: Twin | null = null;
  let solo: Solo | null = null;
  let shown = 0;
  const reason = unexplained(experiment);
  const common = (points: number) => ({
    amount: feed.amount(),
    perSecond: speed.perSecond(),
    rateHz,
    curve: {
      from: points,
      amount: Float64Array.from(amounts.slice(points)),
      score: Float64Array.from(scores.slice(points)),
    },
  });
  return {
    info: infoOf(experiment),
    experiment,
    get amount() {
      return feed.amount();
    },
    get ended() {
      return ended;
    },
    get evaluation() {
      return evaluation;
    },
    trial() {
      if (!ended) shown = nextSteps(run, task, run.totalSteps);
      ended ||= trials.next().done === true;
      // The generator comes to its end, with the evaluation, when it is asked for one trial more.
      if (!ended && feed.amount() >= experiment.config.training.total) ended = trials.next().done === true;
      return !ended;
    },
    frame(watch, points) {
      const spikes = neuronSpikes(run, shown);
      const rows = rowsOf(experiment, spikes, shown);
      return {
        ...common(points),
        trial: run.clock.trial - 1,
        ...rows,
        ...nothingLooked,
        weights: weightsOf(experiment, watch),
      };
    },
    replay(watch, points) {
      if (ended) return null;
      twin ??= createTwin(experiment, catalogue);
      if (reason === null && !learnsInSteps(run)) solo ??= createSolo(experiment, catalogue);
      // Those that the trial before has shown to be active.
      const cells = activeCells(run, neuronSpikes(run, shown));
      const place = watched(experiment, cells, watch.synapse, shown);
      const beside = place ? besideOf(experiment, place, shown) : [];
      const looked = twin.look(cells, place, beside);
      const spikes = neuronSpikes(twin.experiment.run, looked.steps);
      const probed = looked.synapse && {
        ...looked.synapse,
        ...(place && solo ? bySolo(solo.explain(twin.experiment.run, place, beside)) : {}),
      };
      return {
        ...common(points),
        trial: run.clock.trial,
        ...rowsOf(twin.experiment, spikes, looked.steps),
        membranes: looked.membranes,
        signals: windowed(run) ? [] : looked.signals,
        traces: reason === null && probed ? probed.traces : [],
        synapse: place && probed && synapseRows(place, probed, reason),
        weights: weightsOf(experiment, watch),
      };
    },
  };
}

const nothingLooked = { membranes: null, signals: null, traces: null, synapse: null } as const;

function rowsOf(experiment: Experiment, neurons: Spikes, steps: number) {
  const { run, task } = experiment;
  return {
    steps,
    input: spikesOf([{ ...run.network.trial.x, size: task.nIn }], steps, true),
    neurons,
    outputs: outputLines(experiment, steps),
  };
}

function weightsOf({ run }: Experiment, { weights: name }: Watch): WeightRows | null {
  const info = projectionInfos(run.network.spec).find((projection) => projection.name === name);
  const values = info ? matrixOf(run, info.name) : null;
  return info && values ? { ...info, values } : null;
}

/** The synapse that is asked for, or the largest one onto the first neuron that is drawn. */
function watched({ run }: Experiment, [cell]: readonly Cell[], asked: SynapseName | null, steps: number): Place | null {
  return asked ? placeOf(run.network.spec, asked) : (largestOnto(run, cell, steps, 1)[0] ?? null);
}

/** Other synapses onto the same neuron, those that carry most. */
function besideOf({ run }: Experiment, place: Place, steps: number): Place[] {
  const { part, pre, post } = place;
  const owner = { population: run.network.spec.projections[part].post, neuron: post };
  const others = largestOnto(run, owner, steps, shownTraces).filter(
    (other) => other.pre !== pre || other.part !== part,
  );
  return others.slice(0, shownTraces - 1);
}

/** All but the weight, which every stream has changed. */
function bySolo({ weight: _, after: __, ...probed }: Probed): Omit<Probed, 'weight' | 'after'> {
  return probed;
}

function synapseRows({ projection, pre, post }: Place, probed: Probed, reason: string | null): SynapseRows {
  const { own, input, psi, signals, terms, weight, after } = probed;
  const known = reason === null;
  return {
    projection,
    pre,
    post,
    input,
    psi,
    signals,
    weight,
    after,
    traces: known ? own : [],
    terms: known ? terms : null,
    unexplained: reason,
  };
}

function infoOf(experiment: Experiment): RunInfo {
  const { config, run, task } = experiment;
  const { spec } = run.network;
  const { label, axis, higherIsBetter } = meritOf(task, spec);
  const projections = projectionInfos(spec);
  return {
    name: config.name,
    rule: String(config.rule.name),
    seed: config.seed,
    backend: config.backend,
    unit: task.mode.kind === 'stream' ? 'symbols' : 'trials',
    total: config.training.total,
    bounds: task.bounds,
    score: { label, axis, higherIsBetter },
    dtMs: spec.dtMs,
    steps: spec.sizes.step,
    inputs: task.inputPopulations,
    populations: spec.populations.map(({ name, size, kind, spiking }) => ({ name, size, kind, spiking })),
    projections,
    synapses: spec.projections.reduce((sum, { synapses }) => sum + synapses.nSyn - synapses.masked.length, 0),
    experiment: `${JSON.stringify(config, null, 2)}\n`,
  };
}

/** Amount a second over the last two seconds of training. */
function createSpeed(now: () => number) {
  let past: { readonly ms: number; readonly amount: number }[] = [];
  return {
    at(amount: number): void {
      const ms = now();
      past = [...past.filter((one) => ms - one.ms < speedWindowMs), { ms, amount }];
    },
    perSecond(): number {
      const [first] = past;
      const last = past.at(-1);
      return first && last && last.ms > first.ms
        ? (1000 * (last.amount - first.amount)) / (last.ms - first.ms)
        : Number.NaN;
    },
  };
}
