import type { TaskInstance } from '../../core/plugins.ts';
import { rowAt } from '../../core/rows.ts';
import type { Experiment } from '../experiment.ts';

/** Input and targets of one trial, or of one stream of a task without end. */
export interface Sequence {
  /** Mean over the cells of each group. [step][group] */
  readonly input: Float64Array;
  /** Input cell by cell. [step][in] */
  readonly cells: Float64Array;
  readonly steps: number;
  /** Steps that are scored. */
  readonly scored: readonly number[];
  /** Target of every step. [step][out] */
  readonly target: Float64Array;
  /** The expected one where the task states one, else the same. [step][out] */
  readonly expected: Float64Array;
}

/** Data of a task, as a network would be shown them. */
export interface Samples {
  readonly sequences: readonly Sequence[];
  /** Cells of each group of the input; one each where the task names none. */
  readonly groups: readonly number[];
  readonly nIn: number;
  readonly nOut: number;
  /** Whether every trial is the same. */
  readonly oneTrial: boolean;
}

/** Numbers of input that are kept, and trials at most. */
const most = { numbers: 8e6, trials: 400, symbols: 6000 };

/** Draws data without running the network. Of a task that answers there is only what no action decides. */
export function drawSamples({ observer, task }: Experiment): Samples {
  const streams = 4;
  const { run, feed } = observer(streams);
  const { trial, spec } = run.network;
  const groups = groupsOf(task);
  const steps = spec.sizes.step;
  const nOut = spec.sizes.out;
  const endless = task.mode.kind === 'stream';
  const perSymbol = task.mode.kind === 'stream' ? task.mode.stepsPerSymbol : 1;
  const wanted = endless ? most.symbols * perSymbol : most.trials * steps;
  const total = Math.min(wanted, Math.floor(most.numbers / (task.nIn + nOut)));
  const chunks = Math.max(endless ? 1 : 2, Math.floor(total / (streams * steps)));
  const parts: Sequence[][] = Array.from({ length: streams }, () => []);
  for (let c = 0; c < chunks; c++) {
    feed.fill(steps);
    for (let b = 0; b < streams; b++) {
      const cells = new Float64Array(steps * task.nIn);
      const scored: number[] = [];
      const target = trial.target.data.slice(b * steps * nOut, (b + 1) * steps * nOut);
      const expected = task.statesExpected
        ? trial.expected.data.slice(b * steps * nOut, (b + 1) * steps * nOut)
        : target;
      for (let t = 0; t < steps; t++) {
        const row = rowAt(trial.x, b, t);
        for (let i = 0; i < task.nIn; i++) cells[t * task.nIn + i] = trial.x.data[row + i];
        if (trial.weight.data[rowAt(trial.weight, b, t)] > 0) scored.push(t);
      }
      const input = meansOf(cells, groups, steps, task.nIn);
      parts[b].push({
        input,
        cells,
        steps,
        scored,
        target: Float64Array.from(target),
        expected: Float64Array.from(expected),
      });
    }
    run.clock.step += steps;
    run.clock.trial += 1;
  }
  run.stages.close();
  const sequences = endless ? parts.map(joined) : parts.flat();
  const [first, ...others] = sequences;
  const oneTrial =
    !endless && others.every(({ cells, target }) => same(cells, first.cells) && same(target, first.target));
  return { sequences, groups, nIn: task.nIn, nOut, oneTrial };
}

function groupsOf({ inputPopulations, nIn }: TaskInstance): number[] {
  const sizes = inputPopulations.map(({ size }) => size);
  if (sizes.reduce((sum, size) => sum + size, 0) === nIn && sizes.length > 1) return sizes;
  return Array.from({ length: nIn }, () => 1);
}

/** Mean over the cells of every group. */
export function meansOf(cells: Float64Array, groups: readonly number[], steps: number, nIn: number): Float64Array {
  const means = new Float64Array(steps * groups.length);
  for (let t = 0; t < steps; t++) {
    let i = t * nIn;
    groups.forEach((size, g) => {
      let sum = 0;
      for (let c = 0; c < size; c++) sum += cells[i++];
      means[t * groups.length + g] = sum / size;
    });
  }
  return means;
}

/** Chunks of a stream one after the other. */
function joined(parts: readonly Sequence[]): Sequence {
  const join = (of: (part: Sequence) => Float64Array) => {
    const all = new Float64Array(parts.reduce((sum, part) => sum + of(part).length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(of(part), at);
      at += of(part).length;
    }
    return all;
  };
  let before = 0;
  const scored = parts.flatMap(({ scored: own, steps }) => {
    const shifted = own.map((t) => before + t);
    before += steps;
    return shifted;
  });
  return {
    input: join(({ input }) => input),
    cells: join(({ cells }) => cells),
    steps: before,
    scored,
    target: join(({ target }) => target),
    expected: join(({ expected }) => expected),
  };
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let s = 0; s < a.length; s++) if (a[s] !== b[s]) return false;
  return a.length === b.length;
}
