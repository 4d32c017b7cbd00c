import { kernlWith, models } from '../../../models/index.ts';
import type { Catalogue } from '../../core/plugins.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { rowsOf, transpose } from './given.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';
import { recurrentGradient, type TanhNetwork, tanhExperiment, toldTo } from './tanhNetwork.ts';
import { turned, type WatchedStep, watchTrial } from './watch.ts';

const exact = 1e-10;

type Matrix = readonly (readonly number[])[];
type Step = Readonly<Record<string, Nested>>;

interface Scenario {
  readonly steps: readonly Step[];
  readonly gradient_sum: Matrix;
}

/** A golden file of kind `kernl`: one tanh network with frozen weights and a twin whose noise is given. */
export interface KernlFile extends Omit<TanhNetwork, 'W_FB' | 'alpha' | 'rate'> {
  readonly params: { readonly n_rec: number; readonly alpha_net: number; readonly lr: number };
  /** Noise of the twin, one row more than steps. */
  readonly zeta: Matrix;
  readonly A_start: Matrix;
  readonly alpha_start: readonly number[];
  readonly scenarios: Readonly<Record<string, Scenario>>;
}

/** What a scenario, by its name, has of its own; the first whose beginning fits is taken. */
const readers: readonly (readonly [prefix: string, order: 'aligned' | 'code', learns: boolean])[] = [
  ['aligned', 'aligned', true],
  ['code', 'code', true],
  ['fixed_A_identity_alpha_leak', 'aligned', false],
];

/** Compares every quantity of the file with what the engine computes. */
export function verifyKernl(file: KernlFile, subject: Subject): Quantity[] {
  return Object.entries(file.scenarios).flatMap(([path, scenario]) => {
    const reader = readers.find(([prefix]) => path.startsWith(prefix));
    if (!reader) return [notChecked(path, 'no scenario that is known by this name')];
    const [, order, learns] = reader;
    return verifyScenario(file, subject, scenario, { path, order, learns });
  });
}

interface Choice {
  readonly path: string;
  readonly order: 'aligned' | 'code';
  /** Else A is 1, the leaks are those of the network, and both stay: RFLO, which the gradient is compared with, too. */
  readonly learns: boolean;
}

function verifyScenario(file: KernlFile, subject: Subject, scenario: Scenario, choice: Choice): Quantity[] {
  const { path, learns } = choice;
  const n = file.params.n_rec;
  const tolerance = subject.tolerance(exact);
  const experiment = build(file, subject, choice);
  const taken = watchTrial(experiment, false);
  const steps = taken.slice(0, -1);
  const got = quantitiesOf(experiment, taken, n);
  const names = [...new Set(scenario.steps.flatMap((step) => Object.keys(step)))];
  const perStep = names.map((name) => {
    const values = got[name];
    if (!values) return notChecked(`${path}.${name}`, 'no quantity of the rule');
    // Large ones are given at some steps only.
    const given = scenario.steps.flatMap((step, t) => (step[name] === undefined ? [] : [{ t, want: step[name] }]));
    const all = given.flatMap(({ t }) => Array.from(values(t)));
    return compare(
      `${path}.${name}`,
      all,
      given.map(({ want }) => want),
      tolerance,
    );
  });
  const gradients = steps.map(({ gradient }) => recurrentGradient(gradient, n));
  const sums = [compare(`${path}.gradient_sum`, sumOf(gradients), scenario.gradient_sum, tolerance)];
  if (learns) return [...perStep, ...sums];
  const local = watchTrial(networkOf(file, subject, { name: 'rflo', feedback: 'symmetric' }), false).slice(0, -1);
  const rflo = sumOf(local.map(({ gradient }) => recurrentGradient(gradient, n)));
  return [...perStep, ...sums, compare(`${path}.gradient_sum (rflo)`, rflo, scenario.gradient_sum, tolerance)];
}

/** Quantities of step t by their names in the file. */
function quantitiesOf(
  experiment: Experiment,
  taken: readonly WatchedStep[],
  n: number,
): Readonly<Record<string, (t: number) => ArrayLike<number>>> {
  const own = (field: string) => (t: number) => taken[t].state[`direct.${field}`];
  const { activity } = experiment.run.network;
  const rates = rowsOf(activity[0].z, 1, taken.length - 1);
  const told = toldTo(experiment, taken, false);
  return {
    a: (t) => rates.slice(t * n, (t + 1) * n),
    twin: own('rec.twin'),
    omega: own('omega'),
    gamma: own('gamma'),
    noise_loss: (t) => [own('mismatch')(t).reduce((sum, e) => sum + e * e, 0)],
    q: (t) => told.slice(t * n, (t + 1) * n),
    A: (t) => turned([own('A')(t)], n),
    alpha: own('leak'),
    B: (t) => turned([own('rec.kernel')(t), own('in.kernel')(t)], n),
    gradient: (t) => recurrentGradient(taken[t].gradient, n),
  };
}

function networkOf(
  file: KernlFile,
  subject: Subject,
  rule: Record<string, unknown>,
  own?: Partial<Catalogue>,
): Experiment {
  return tanhExperiment({ ...file, alpha: file.params.alpha_net, rate: 0 }, subject, rule, own);
}

function build(file: KernlFile, subject: Subject, { order, learns }: Choice): Experiment {
  const { lr } = file.params;
  const noise = kernlWith(() => (out, count) => out.set(file.zeta[count]));
  const rates = learns ? { rateA: lr, rateLeak: lr } : { rateA: 0, rateLeak: 0 };
  const rule = { name: 'kernl', feedback: 'symmetric', order, ...rates, leakRange: null, resetEvery: null };
  const direct = models.direct.map((model) => (model.kind === noise.kind ? noise : model)) as Catalogue['direct'];
  const experiment = networkOf(file, subject, rule, { direct });
  if (learns) {
    const { A, leak } = experiment.run.network.state.views('direct');
    A.set(flatten(transpose(file.A_start)));
    leak.set(file.alpha_start);
  }
  return experiment;
}

/** Sum over steps of one row each. */
function sumOf(rows: readonly (readonly number[])[]): number[] {
  return rows[0].map((_, s) => rows.reduce((sum, row) => sum + row[s], 0));
}
