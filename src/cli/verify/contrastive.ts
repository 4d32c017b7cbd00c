import { contrastive } from '../../../models/index.ts';
import { gradientOf } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import {
  type BaseParams,
  baseNeuron,
  baseReadout,
  givenExperiment,
  projectionMatrix,
  rowsOf,
  runOnce,
  setProjection,
} from './given.ts';
import { type SeePass, watchPasses } from './passes.ts';
import { compare, flatten, type Quantity, type Subject } from './report.ts';

const exact = 1e-9;

type Matrix = readonly (readonly number[])[];

interface Pattern {
  readonly free: readonly number[];
  readonly nudged: readonly number[];
  readonly clamped: readonly number[];
  readonly energy_free: number;
  readonly energy_clamped: number;
  readonly contrast_clamped: number;
}

interface Phase {
  readonly z: readonly Matrix[];
  readonly zbar: readonly Matrix[];
}

/** Two-phase learning of a network that settles, and of a spiking one; see the file's own `meta`. */
export interface ContrastiveFile {
  readonly params: { readonly n: number; readonly n_out: number; readonly beta: number; readonly eta: number };
  readonly w: Matrix;
  readonly input: Matrix;
  readonly target: Matrix;
  readonly patterns: readonly Pattern[];
  readonly update: {
    readonly nudged: Matrix;
    readonly clamped: Matrix;
    readonly bias_nudged: readonly number[];
    readonly bias_clamped: readonly number[];
  };
  readonly exact_gradient: readonly Matrix[];
  readonly spiking: {
    readonly params: BaseParams & { readonly n_in: number; readonly eta: number };
    readonly w_in: Matrix;
    readonly w_rec: Matrix;
    readonly x: readonly Matrix[];
    readonly teacher: readonly Matrix[];
    readonly free: Phase;
    readonly taught: Phase;
    readonly update: Matrix;
  };
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyContrastive(file: ContrastiveFile, { backend }: Subject): Quantity[] {
  return [
    ...verifyNudged(file, backend),
    ...verifyClamped(file, backend),
    ...verifyGradient(file, backend),
    ...verifySpiking(file.spiking, backend),
  ];
}

type Backend = Subject['backend'];

/** Steps of 0.4 time constants: more than enough for |du/dt| < 1e-12. */
const steps = 1024;
const leak = 0.6;

interface Settled {
  readonly experiment: Experiment;
  /** Activity at the end of each pass, [pattern][neuron]; those with a target are the last ones. */
  readonly activity: number[][][];
}

/** The network of the file, whose neurons with a target are a population of their own. */
function settle(
  file: ContrastiveFile,
  backend: Backend,
  rule: Record<string, unknown>,
  patterns: readonly number[],
): Settled {
  const { n, n_out: nOut } = file.params;
  const hidden = n - nOut;
  const neuron = { kind: 'rate', leaks: 'potential', leak: { decay: leak } };
  const activity: number[][][] = [];
  const see: SeePass = ({ populations: [inner, outer] }, _pass, duration) => {
    const last = (rows: typeof inner.z, b: number) =>
      rowsOf(rows, patterns.length, duration).slice(
        (b * duration + duration - 1) * rows.size,
        (b + 1) * duration * rows.size,
      );
    activity.push(patterns.map((_, b) => [...last(inner.z, b), ...last(outer.z, b)]));
  };
  const names = ['hh', 'ho', 'oh', 'oo', 'hidden.bias', 'output.bias'];
  const experiment = givenExperiment(
    {
      backend,
      network: {
        populations: {
          hidden: { size: hidden, neuron, bias: 0 },
          output: { size: nOut, neuron, bias: 0 },
        },
        projections: {
          toHidden: { from: 'input', to: 'hidden', plastic: false },
          toOutput: { from: 'input', to: 'output', plastic: false },
          hh: { from: 'hidden', to: 'hidden' },
          ho: { from: 'hidden', to: 'output' },
          oh: { from: 'output', to: 'hidden' },
          oo: { from: 'output', to: 'output' },
        },
        readouts: {
          out: { from: 'output', readout: { kind: 'leaky', filter: { decay: 0 }, scale: '1', bias: false } },
        },
      },
      rule: { name: 'contrastive', ...rule },
      loss: { kind: 'square', scale: 'sum' },
      optimizer: { kind: 'sgd', rates: { out: 0, ...Object.fromEntries(names.map((name) => [name, 1])) } },
      training: {
        total: patterns.length,
        streams: patterns.length,
        update: { every: 1, unit: 'trial', reduction: 'sum' },
      },
    },
    patterns.map((p) => ({
      x: Array.from({ length: steps }, () => file.input[p]),
      target: Array.from({ length: steps }, () => file.target[p]),
    })),
    { passes: [watchPasses(contrastive, see)] },
  );
  const { network } = experiment.run;
  const all = Array.from({ length: n }, (_, i) => i);
  const inner = all.slice(0, hidden);
  const outer = all.slice(hidden);
  const part = (rows: readonly number[], columns: readonly number[], of: (i: number, j: number) => number) =>
    rows.map((i) => columns.map((j) => of(i, j)));
  const identity = (i: number, j: number) => (i === j ? 1 : 0);
  setProjection(network, 'toHidden', part(all, inner, identity));
  setProjection(network, 'toOutput', part(all, outer, identity));
  const weight = (i: number, j: number) => file.w[i][j];
  setProjection(network, 'hh', part(inner, inner, weight));
  setProjection(network, 'ho', part(inner, outer, weight));
  setProjection(network, 'oh', part(outer, inner, weight));
  setProjection(network, 'oo', part(outer, outer, weight));
  network.weights.out.set(flatten(part(outer, outer, identity)));
  runOnce(experiment);
  return { experiment, activity };
}

/** Gradient of the weights between neurons as one [pre][post] matrix, and that of the biases, times a factor. */
function changes({ experiment }: Settled, file: ContrastiveFile, factor: number) {
  const { n, n_out: nOut } = file.params;
  const hidden = n - nOut;
  const { run } = experiment;
  const got = gradientOf(run);
  const block = (name: string) => projectionMatrix(run.network.spec, got, name);
  const [hh, ho, oh, oo] = ['hh', 'ho', 'oh', 'oo'].map(block);
  const weights = Array.from({ length: n * n }, (_, s) => {
    const [i, j] = [Math.floor(s / n), s % n];
    if (i < hidden) return factor * (j < hidden ? hh[i * hidden + j] : ho[i * nOut + j - hidden]);
    return factor * (j < hidden ? oh[(i - hidden) * hidden + j] : oo[(i - hidden) * nOut + j - hidden]);
  });
  const bias = [...got['hidden.bias'], ...got['output.bias']].map((value) => factor * value);
  return { weights, bias };
}

const allOf = ({ patterns }: ContrastiveFile) => patterns.map((_, p) => p);

function verifyNudged(file: ContrastiveFile, backend: Backend): Quantity[] {
  const { beta, eta } = file.params;
  const settled = settle(file, backend, { teacher: 'nudge', strength: beta }, allOf(file));
  const got = changes(settled, file, -eta);
  const [free, nudged] = settled.activity;
  return [
    ...file.patterns.flatMap((pattern, p) => [
      compare(`patterns.${p}.free`, free[p], pattern.free, exact),
      compare(`patterns.${p}.nudged`, nudged[p], pattern.nudged, exact),
    ]),
    compare('update.nudged', got.weights, file.update.nudged, exact),
    compare('update.bias_nudged', got.bias, file.update.bias_nudged, exact),
  ];
}

function verifyClamped(file: ContrastiveFile, backend: Backend): Quantity[] {
  const settled = settle(file, backend, { teacher: 'clamp', clamps: 'output' }, allOf(file));
  const got = changes(settled, file, -file.params.eta);
  const [free, clamped] = settled.activity;
  return [
    ...file.patterns.flatMap((pattern, p) => {
      const [before, after] = [free, clamped].map((activity) => energyOf(file, activity[p], file.input[p]));
      return [
        compare(`patterns.${p}.clamped`, clamped[p], pattern.clamped, exact),
        compare(`patterns.${p}.energy_free`, [before], [pattern.energy_free], exact),
        compare(`patterns.${p}.energy_clamped`, [after], [pattern.energy_clamped], exact),
        compare(`patterns.${p}.contrast_clamped`, [after - before], [pattern.contrast_clamped], exact),
      ];
    }),
    compare('update.clamped', got.weights, file.update.clamped, exact),
    compare('update.bias_clamped', got.bias, file.update.bias_clamped, exact),
  ];
}

/** - 1/2 s W s - I s + sum of the integrals of the inverse of tanh. */
function energyOf({ w }: ContrastiveFile, s: readonly number[], input: readonly number[]): number {
  return s.reduce((sum, value, i) => {
    const arriving = w.reduce((total, row, j) => total + row[i] * s[j], 0);
    const inverse = value * Math.atanh(value) + 0.5 * Math.log1p(-value * value);
    return sum - 0.5 * value * arriving - input[i] * value + inverse;
  }, 0);
}

/** The limit of small nudges, from both sides and of two sizes, so that what is left is of fourth order. */
function verifyGradient(file: ContrastiveFile, backend: Backend): Quantity[] {
  const small = 1e-3;
  return allOf(file).map((p) => {
    const at = (strength: number) =>
      changes(settle(file, backend, { teacher: 'nudge', strength }, [p]), file, 1).weights;
    const bothSides = (strength: number) => {
      const other = at(-strength);
      return at(strength).map((value, s) => 0.5 * (value + other[s]));
    };
    const wide = bothSides(2 * small);
    const limit = bothSides(small).map((value, s) => (4 * value - wide[s]) / 3);
    return compare(`exact_gradient (${p})`, limit, file.exact_gradient[p], exact);
  });
}

/** The teacher of the file is a target that reaches every neuron by itself; readouts that copy the activity show it filtered. */
function verifySpiking(file: ContrastiveFile['spiking'], backend: Backend): Quantity[] {
  const { params: p, x, teacher } = file;
  const seen: { z: number[]; zbar: number[] }[] = [];
  const see: SeePass = ({ populations: [{ z }], readouts: [{ y }] }, _pass, duration) => {
    seen.push({ z: rowsOf(z, p.batch, duration), zbar: rowsOf(y, p.batch, duration) });
  };
  const experiment = givenExperiment(
    {
      backend,
      network: {
        populations: { rec: { size: p.n_rec, neuron: baseNeuron(p) } },
        projections: { in: { from: 'input', to: 'rec', plastic: false }, rec: { from: 'rec', to: 'rec' } },
        readouts: { out: { from: 'rec', readout: baseReadout(p, false) } },
      },
      rule: { name: 'contrastive', teacher: 'target', strength: 1, feedback: 'random', phases: 'trial' },
      loss: { kind: 'square', scale: 'sum' },
      optimizer: { kind: 'sgd', rates: { rec: 1, out: 0 } },
      training: { total: p.batch, streams: p.batch, update: { every: 1, unit: 'trial', reduction: 'sum' } },
    },
    x.map((rows, b) => ({ x: rows, target: teacher[b] })),
    { passes: [watchPasses(contrastive, see)] },
  );
  const { network } = experiment.run;
  const identity = Array.from({ length: p.n_rec }, (_, i) =>
    Array.from({ length: p.n_rec }, (_, j) => (i === j ? 1 : 0)),
  );
  setProjection(network, 'in', file.w_in);
  setProjection(network, 'rec', file.w_rec);
  network.weights.out.set(flatten(identity));
  network.state.field('passes.rec.B').set(flatten(identity));
  runOnce(experiment);
  const update = projectionMatrix(network.spec, gradientOf(experiment.run), 'rec').map((value) => -p.eta * value);
  return [
    ...(['free', 'taught'] as const).flatMap((phase, pass) => [
      compare(`spiking.${phase}.z`, seen[pass].z, file[phase].z, 0),
      compare(`spiking.${phase}.zbar`, seen[pass].zbar, file[phase].zbar, exact),
    ]),
    compare('spiking.update', update, file.update, exact),
  ];
}
