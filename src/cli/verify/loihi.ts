import {
  addActivation,
  type Connection,
  createAtrlif,
  createConnection,
  createLif,
  decayOfFraction,
  type LifParams,
} from '../../../hardware/loihi/index.ts';
import { UnsupportedError } from '../../core/errors.ts';
import { transpose } from './given.ts';
import { compare, flatten, type Nested, type Quantity, type Subject } from './report.ts';

type Matrix = readonly (readonly number[])[];

interface LifCase {
  readonly name: string;
  readonly T: number;
  readonly du: number;
  readonly dv: number;
  readonly vth: number;
  readonly bias_mant: readonly number[];
  readonly bias_exp: readonly number[];
  /** [post][pre] */
  readonly w_in: Matrix;
  readonly weight_exp_in: number;
  readonly w_rec: Matrix | null;
  readonly weight_exp_rec: number;
  readonly num_weight_bits: number;
  /** [step][pre] */
  readonly input_spikes: Matrix;
  readonly u: Matrix;
  readonly v: Matrix;
  readonly s: Matrix;
}

/** A golden file of kind `loihi-lif`: lava's bit-accurate Dense and LIF, and cases of nengo-loihi's emulator. */
export interface LoihiLifFile {
  readonly cases: readonly LifCase[];
  readonly nengo_cases: readonly (Pick<LifCase, 'name' | 'u' | 'v' | 's'> & {
    readonly same_as: string;
    readonly refract_delay?: number;
  })[];
}

/** A golden file of kind `loihi2-atrlif`: lava's adaptive-threshold neuron. */
export interface LoihiAtrlifFile {
  readonly cases: readonly {
    readonly name: string;
    readonly T: number;
    readonly params: Readonly<
      Record<'delta_i' | 'delta_v' | 'delta_theta' | 'delta_r' | 'theta_0' | 'theta_step', number>
    > & { readonly bias_mant: readonly number[]; readonly bias_exp: readonly number[] };
    readonly w_in: Matrix;
    readonly weight_exp: number;
    readonly input_spikes: Matrix;
    readonly i: Matrix;
    readonly v: Matrix;
    readonly theta: Matrix;
    readonly r: Matrix;
    readonly s: Matrix;
    readonly decay12: Readonly<Record<'i' | 'v' | 'theta' | 'r', number>>;
  }[];
}

/** Integers of a chip have no backend. */
export function refuseBackend({ backend }: Subject): void {
  if (backend !== 'reference') throw new UnsupportedError(`backend "${backend}" has no emulation of Loihi`);
}

/** Every u, v and spike of every case, with no tolerance. */
export function verifyLoihiLif({ cases, nengo_cases }: LoihiLifFile, subject: Subject): Quantity[] {
  refuseBackend(subject);
  const lava = cases.map((one) => ({ wanted: one, got: runLif(one, { kind: 'lava' }) }));
  const nengo = nengo_cases.map((wanted) => {
    const same = cases.find(({ name }) => name === wanted.same_as);
    if (!same) throw new Error(`${wanted.name}: no case "${wanted.same_as}"`);
    return { wanted, got: runLif(same, { kind: 'nengo-loihi', refractory: wanted.refract_delay ?? 1 }) };
  });
  return [...lava, ...nengo].flatMap(({ wanted, got }) =>
    (['u', 'v', 's'] as const).map((key) => compare(`${wanted.name}.${key}`, got[key], wanted[key], 0)),
  );
}

function runLif(given: LifCase, overflow: LifParams['overflow']): Record<'u' | 'v' | 's', number[]> {
  const { du, dv, vth, bias_mant, bias_exp, num_weight_bits: weightBits } = given;
  const lif = createLif({ du, dv, vth, biasMant: [...bias_mant], biasExp: [...bias_exp], overflow });
  const input = connect(given.w_in, { weightBits, exponent: given.weight_exp_in });
  const recurrent = given.w_rec && connect(given.w_rec, { weightBits, exponent: given.weight_exp_rec });
  const a = new Float64Array(bias_mant.length);
  const taken: Record<'u' | 'v' | 's', number[]> = { u: [], v: [], s: [] };
  for (let t = 0; t < given.T; t++) {
    lif.step(a);
    a.fill(0);
    project(a, input, given.input_spikes[t]);
    if (recurrent) project(a, recurrent, lif.z);
    taken.u.push(...lif.u);
    taken.v.push(...lif.v);
    taken.s.push(...lif.z);
  }
  return taken;
}

/** Every current, membrane, threshold, refractory variable and spike of every case, and the decays that are derived. */
export function verifyLoihiAtrlif({ cases }: LoihiAtrlifFile, subject: Subject): Quantity[] {
  refuseBackend(subject);
  return cases.flatMap((given) => {
    const { params } = given;
    const decays = {
      i: decayOfFraction(params.delta_i, 'delta_i'),
      v: decayOfFraction(params.delta_v, 'delta_v'),
      theta: decayOfFraction(params.delta_theta, 'delta_theta'),
      r: decayOfFraction(params.delta_r, 'delta_r'),
    };
    const got = runAtrlif(given, decays);
    return [
      ...(['i', 'v', 'theta', 'r'] as const).map((key) =>
        compare(`${given.name}.decay12.${key}`, [decays[key]], given.decay12[key], 0),
      ),
      ...(['i', 'v', 'theta', 'r', 's'] as const).map((key) =>
        compare(`${given.name}.${key}`, got[key], given[key] as Nested, 0),
      ),
    ];
  });
}

function runAtrlif(
  { params, w_in, weight_exp, input_spikes, T }: LoihiAtrlifFile['cases'][number],
  decays: Readonly<Record<'i' | 'v' | 'theta' | 'r', number>>,
): Record<'i' | 'v' | 'theta' | 'r' | 's', number[]> {
  const neurons = createAtrlif({
    dCurrent: decays.i,
    dMembrane: decays.v,
    dThreshold: decays.theta,
    dRefractory: decays.r,
    theta0: params.theta_0,
    thetaStep: params.theta_step,
    biasMant: [...params.bias_mant],
    biasExp: [...params.bias_exp],
  });
  const input = connect(w_in, { exponent: weight_exp });
  const a = new Float64Array(params.bias_mant.length);
  const taken: Record<'i' | 'v' | 'theta' | 'r' | 's', number[]> = { i: [], v: [], theta: [], r: [], s: [] };
  for (let t = 0; t < T; t++) {
    neurons.step(a);
    a.fill(0);
    project(a, input, input_spikes[t]);
    for (const key of ['i', 'v', 'theta', 'r'] as const) taken[key].push(...neurons[key]);
    taken.s.push(...neurons.z);
  }
  return taken;
}

/** A connection of the file's [post][pre] weights. */
function connect(weights: Matrix, params: Parameters<typeof createConnection>[1]): Connection {
  return createConnection(flatten(transpose(weights)), params, weights[0].length, weights.length);
}

function project(a: Float64Array, { weights, exponent, sum, nPre, nPost }: Connection, z: ArrayLike<number>): void {
  addActivation(a, sum, weights, z, exponent, nPre, nPost);
}
