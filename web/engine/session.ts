import {
  type Catalogue,
  createExperiment,
  type Experiment,
  meritOf,
  nextSteps,
  type RunEvent,
} from '../../src/browser.ts';
import type { Frame, Line, RunInfo, SynapseName, SynapseRows, WeightRows } from '../views/types.ts';
import type { Watch } from './protocol.ts';
import { activeCells, type Cell, column, outputLines, signalLines, spikesOf } from './rows.ts';
import { createSolo, type Explained, type Solo } from './solo.ts';
import { largestOnto, matrixOf, type Place, placeOf, projectionInfos } from './synapse.ts';
import { cellsOf, createTwin, type Looked, type Twin } from './twin.ts';

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
  const common = (points: number) => ({
    amount: feed.amount(),
    perSecond: speed.perSecond(),
    rateHz,
    curve: { from: points, amount: Float64Array.from(amounts.slice(points)), score: Float64Array.from(scores.slice(points)) },
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
      const cells = activeCells(run, shown);
      return { ...common(points), trial: run.clock.trial - 1, ...rowsOf(experiment, cells, shown), ...nothingLooked, weights: weightsOf(experiment, watch) };
    },
    replay(watch, points) {
      if (ended) return null;
      twin ??= createTwin(experiment, catalogue);
      solo ??= createSolo(experiment, catalogue);
      const cells = cellsOf(experiment);
      const place = watched(experiment, cells, watch.synapse);
      const looked = twin.look(cells, place);
      const others = place ? largestOnto(run, { ...cells[0], ...ownerOf(experiment, place) }, shownTraces) : [];
      const explained = place && solo.explain(place, others.filter(({ pre, part }) => pre !== place.pre || part !== place.part));
      const rows = rowsOf(twin.experiment, cells, looked.steps);
      return {
        ...common(points),
        trial: run.clock.trial,
        ...rows,
        membranes: looked.membranes,
        traces: explained ? explained.traces : [],
        synapse: place && explained && synapseRows(twin.experiment, place, looked, explained),
        weights: weightsOf(experiment, watch),
      };
    },
  };
}

const nothingLooked = { membranes: null, traces: null, synapse: null } as const;

function rowsOf(experiment: Experiment, cells: readonly Cell[], steps: number) {
  const { run } = experiment;
  const { spec, trial, activity } = run.network;
  return {
    steps,
    input: spikesOf([{ ...trial.x, size: experiment.task.nIn }], steps, true),
    neurons: spikesOf(activity.map(({ z }) => z), steps, spec.populations.some(({ spiking }) => !spiking)),
    outputs: outputLines(experiment, steps),
    signals: signalLines(run, cells, steps),
  };
}

function weightsOf({ run }: Experiment, { weights: name }: Watch): WeightRows | null {
  const info = projectionInfos(run.network.spec).find((projection) => projection.name === name);
  const values = info ? matrixOf(run, info.name) : null;
  return info && values ? { ...info, values } : null;
}

/** The synapse that is asked for, or the largest one onto the first neuron that is drawn. */
function watched({ run }: Experiment, [cell]: readonly Cell[], asked: SynapseName | null): Place | null {
  return asked ? placeOf(run.network.spec, asked) : (largestOnto(run, cell, 1)[0] ?? null);
}

function ownerOf({ run }: Experiment, { part, post }: Place): Pick<Cell, 'population' | 'neuron'> {
  return { population: run.network.spec.projections[part].post, neuron: post };
}

function synapseRows({ run }: Experiment, place: Place, looked: Looked, explained: Explained): SynapseRows | null {
  const { projection, pre, post, part } = place;
  const { psi, signals } = run.network.activity[run.network.spec.projections[part].post];
  const { steps, synapse } = looked;
  if (!synapse) return null;
  const heard: Line[] = signals.map((rows, channel) => ({
    label: signals.length > 1 ? `channel ${channel + 1}` : '',
    values: column(rows, post, steps),
    dashed: false,
    colour: channel,
  }));
  return { projection, pre, post, ...synapse, traces: explained.own, psi: column(psi, post, steps), signals: heard, terms: explained.terms };
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
      return first && last && last.ms > first.ms ? (1000 * (last.amount - first.amount)) / (last.ms - first.ms) : Number.NaN;
    },
  };
}
