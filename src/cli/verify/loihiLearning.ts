import {
  createLearning,
  type FactorName,
  type LearningParams,
  type SharedSource,
} from '../../../hardware/loihi/index.ts';
import { transpose } from './given.ts';
import { refuseBackend } from './loihi.ts';
import { compare, flatten, type Nested, type Quantity, type Subject } from './report.ts';
import { turned } from './watch.ts';

type Matrix = readonly (readonly number[])[];

interface FileProduct {
  readonly dependency: 'x0' | 'y0' | 'u';
  readonly decimateExponent: number | null;
  readonly mant: number;
  /** Exponent of the product plus 7. */
  readonly exp: number;
  readonly factors: readonly { readonly var: FactorName; readonly const: number | null; readonly sgn: boolean }[];
}

const traceNames = ['x1', 'x2', 'y1', 'y2', 'y3'] as const;
const writtenNames = ['y1', 'y2', 'y3'] as const;
const results = [...traceNames, 'weights', 'tag_1'] as const;

interface Case {
  readonly name: string;
  readonly three_factor: boolean;
  readonly rule: Readonly<Partial<Record<'dw' | 'dd' | 'dt', readonly FileProduct[]>>>;
  readonly params: Readonly<Record<string, number>>;
  readonly sign_mode: string;
  readonly T: number;
  /** [post][pre] */
  readonly w0: Matrix;
  readonly tag0: Matrix;
  /** [step][neuron] */
  readonly pre: Matrix;
  readonly post: Matrix;
  readonly y_in?: Readonly<Record<(typeof writtenNames)[number], Matrix>>;
  readonly random: readonly Readonly<Record<string, number>>[];
}

/** A golden file of kind `loihi-learning`: lava's fixed-point learning engine with the random numbers it drew. */
export interface LoihiLearningFile {
  readonly cases: readonly (Case & Readonly<Record<(typeof results)[number], Nested>>)[];
}

/** Every trace, weight and tag after every step of every case, with no tolerance. */
export function verifyLoihiLearning({ cases }: LoihiLearningFile, subject: Subject): Quantity[] {
  refuseBackend(subject);
  return cases.flatMap((given) => {
    const got = runLearning(given);
    return results.map((key) => compare(`${given.name}.${key}`, got[key], given[key], 0));
  });
}

function runLearning(given: Case): Record<(typeof results)[number], number[]> {
  const [nPost, nPre] = [given.w0.length, given.w0[0].length];
  const initial = { w: flatten(transpose(given.w0)), t: flatten(transpose(given.tag0)) };
  const learning = createLearning(paramsOf(given), initial, nPre, nPost, drawn(given));
  const taken = Object.fromEntries(results.map((key) => [key, []])) as unknown as ReturnType<typeof runLearning>;
  for (let t = 0; t < given.T; t++) {
    if (given.y_in) for (const name of writtenNames) learning.traces[name].set(given.y_in[name][t]);
    learning.step(given.pre[t], given.post[t]);
    for (const name of traceNames) taken[name].push(...learning.traces[name]);
    taken.weights.push(...turned([learning.synapse.w], nPost));
    taken.tag_1.push(...turned([learning.synapse.t], nPost));
  }
  return taken;
}

function paramsOf({ params, rule, sign_mode, three_factor }: Case): LearningParams {
  const productsOf = (products: readonly FileProduct[] = []) =>
    products.map(({ dependency, decimateExponent, mant, exp, factors }) => ({
      mantissa: mant,
      exponent: exp - 7,
      dependency: dependency === 'u' ? { everyEpochs: decimateExponent ?? 0 } : dependency,
      factors: factors.map(({ var: name, const: constant, sgn: sign }) => ({ name, constant: constant ?? 0, sign })),
    }));
  return {
    compatible: 'lava',
    epochSteps: params.t_epoch,
    signMode: sign_mode.toLowerCase() as LearningParams['signMode'],
    written: three_factor,
    traces: Object.fromEntries(
      traceNames.map((name) => [name, { tau: params[`${name}_tau`], impulse: params[`${name}_impulse`] }]),
    ),
    dw: productsOf(rule.dw),
    dd: productsOf(rule.dd),
    dt: productsOf(rule.dt),
  };
}

/** The numbers that the reference drew, in their order; one that the file lacks is refused where it is asked for. */
function drawn({ random }: Case): SharedSource {
  let t = -1;
  const take = (name: string) => {
    const value = random[t]?.[name];
    if (typeof value !== 'number') throw new Error(`random[${t}].${name}: got ${value}, expected a number`);
    return value;
  };
  return {
    step(into) {
      t++;
      into.yRepeated = take('y_impulse_mid');
    },
    epoch(into) {
      into.xDecay = take('x_decay');
      into.xImpulse = take('x_impulse');
      into.yDecay = take('y_decay');
      into.yImpulse = take('y_impulse');
      into.rounding = take('syn');
    },
  };
}
