import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import type {
  BoundPasses,
  OutputFilter,
  PassesBinding,
  PassesContext,
  PassesInstance,
  PassesModel,
  PassProjection,
  ReadoutShape,
} from '../../src/core/plugins.ts';
import { clearRows, type Rows, rowAt } from '../../src/core/rows.ts';
import { magnitude, signed } from '../../src/core/schema.ts';

import { addRows } from '../traces/kernels.ts';

export const contrastiveParams = {
  teacher: z
    .enum(['nudge', 'target', 'clamp'])
    .default('nudge')
    .describe(
      'second phase: neurons are driven by the error, by the target, or a population is held at the target for its outputs',
    ),
  strength: signed.default(0.5).describe('factor on the drive; a negative one pushes away from the target'),
  feedback: z.enum(['symmetric', 'random']).default('symmetric').describe('how outputs reach neurons'),
  feedbackScale: magnitude.default(1).describe('standard deviation of random feedback in units of 1 / sqrt(nOut)'),
  clamps: z.string().nullable().default(null).describe('population that is held at the target, one neuron an output'),
  phases: z
    .enum(['settle', 'trial'])
    .default('settle')
    .describe(
      'settle: activity comes to rest, the second phase goes on where the first ended, and the last steps are compared; trial: both run over the whole trial, and means are compared',
    ),
};

const params = z.strictObject({ kind: z.literal('contrastive'), ...contrastiveParams });
type Params = z.infer<typeof params>;

/**
 * Contrastive learning: what fires together in a phase with a teacher is learned, what fires together in a free phase is unlearned.
 *
 *     dw_ij ~ s'_i s'_j - s_i s_j                      s: free, s': with the teacher, of the same data
 *     nudge:   I_j += - strength sum_k B_jk error_k    divided by the strength; dw -> - dE/dw of the symmetric weight for strength -> 0
 *     target:  I_j += strength sum_k B_jk target_k
 *     clamp:   s_k = target_k of the population that the readout reads
 *     settle:  s of the last step;     trial: the mean over its steps of s filtered as the readout does
 *
 * Where activity settles and weights are symmetric, the clamped update descends the difference of the energies of both phases.
 * `s_i` of a projection from the task is its input.
 *
 * Movellan 1991; Baldi and Pineda 1991 (Neural Comput 3:526); Scellier and Bengio 2017 (Front Comput Neurosci 11:24) for small nudges.
 */
export const contrastive: PassesModel<Params> = {
  kind: 'contrastive',
  source: 'Baldi and Pineda 1991, Neural Comput 3:526; Scellier and Bengio 2017, Front Comput Neurosci 11:24',
  params,
  derive(p, context) {
    const { path, network } = context;
    const { populations, readouts } = network;
    if (p.strength === 0 && p.teacher !== 'clamp')
      throw new ConfigError(`${path}.strength`, 0, 'a number other than 0');
    const clamped = p.teacher === 'clamp' ? clampedPopulation(p, context) : null;
    if (p.teacher !== 'clamp' && p.clamps !== null)
      throw new ConfigError(`${path}.clamps`, p.clamps, `null with the teacher "${p.teacher}"`);
    const random = p.teacher !== 'clamp' && p.feedback === 'random';
    const matrices = random
      ? populations.map(
          ({ name, size }): Layout => ({
            [`${name}.B`]: {
              shape: [size, network.sizes.out],
              home: 'post',
              unit: '1',
              doc: 'feedback of the teacher',
            },
          }),
        )
      : [];
    return {
      layout: Object.assign({}, ...matrices),
      copies: [],
      keeps: { neurons: {}, synapses: {} },
      judged: false,
      footprint: {
        reads: p.teacher === 'nudge' ? ['pre', 'z', 'error'] : ['pre', 'z', 'target'],
        phases: ['soma'],
      },
      passes: [
        { name: 'free', from: 'start', stepwise: false },
        {
          name: 'taught',
          from: p.phases === 'settle' ? 'first' : 'start',
          stepwise: p.teacher !== 'target',
        },
      ],
      injects: { current: p.teacher !== 'clamp', output: false },
      clamps: clamped !== null,
      readouts: 'error',
      init(state, rng) {
        if (!random) return;
        const scale = p.feedbackScale / Math.sqrt(network.sizes.out);
        for (const { name } of populations) {
          const B = state[`${name}.B`];
          const own = rng.split(name);
          for (let s = 0; s < B.length; s++) B[s] = scale * own.normal();
        }
      },
      bind: (binding) => bindContrast(binding, p, filterOf(readouts, path), clamped),
    } satisfies PassesInstance;
  },
};

function clampedPopulation(p: Params, { path, network }: PassesContext): number {
  const { populations, sizes } = network;
  const at = populations.findIndex(({ name }) => name === p.clamps);
  if (at < 0) {
    const names = populations.map(({ name }) => name).join(', ');
    throw new ConfigError(`${path}.clamps`, p.clamps, `one of ${names} with the teacher "clamp"`);
  }
  if (populations[at].size !== sizes.out) {
    const wanted = `a population of ${sizes.out} neurons, one for each output`;
    throw new ConfigError(`${path}.clamps`, p.clamps, wanted);
  }
  return at;
}

/** The filter that all readouts share. */
function filterOf(readouts: readonly ReadoutShape[], path: string): OutputFilter {
  const [{ decay, gain }] = readouts;
  const odd = readouts.find((other) => other.decay !== decay || other.gain !== gain);
  if (odd)
    throw new ConfigError(`${path}.name`, 'contrastive', `readouts with one filter, not ${decay} and ${odd.decay}`);
  return { decay, gain };
}

function bindContrast(binding: PassesBinding, p: Params, filter: OutputFilter, clamped: number | null): BoundPasses {
  const { network, projections, populations } = binding;
  const { stream: nStream } = network.sizes;
  const teach = bindTeacher(binding, p);
  const learning = projections.flatMap((projection, q) =>
    projection.plastic ? [bindCorrelation(binding, projection, q, filter, p.phases)] : [],
  );
  const hold = clamped === null ? null : bindClamp(binding, clamped);
  return {
    begin(pass, steps) {
      for (const { injected } of populations) for (let b = 0; b < nStream; b++) clearRows(injected, b, steps);
      if (pass === 1 && p.teacher === 'target') for (let t = 0; t < steps; t++) teach.target(t);
    },
    before(pass, t, steps) {
      // Before the first step the last error is that of the free phase's end.
      if (pass === 1 && p.teacher === 'nudge') teach.nudge(t, t > 0 ? t - 1 : steps - 1);
    },
    after(pass, t) {
      if (pass === 1) hold?.(t);
    },
    end(pass, steps) {
      const worth = p.teacher === 'nudge' ? 1 / p.strength : 1;
      // A gradient is what an update takes away.
      for (const add of learning) add(steps, pass === 0 ? worth : -worth);
    },
  };
}

/** What is injected at step t. */
function bindTeacher({ network, state, populations, readouts }: PassesBinding, p: Params) {
  const { out: nOut, stream: nStream } = network.sizes;
  // From each output to each population: a row of B, or the readout's own weights where it reads the population.
  const ways = populations.flatMap((population, q) => {
    const { name } = network.populations[q];
    if (p.feedback === 'random')
      return network.readouts.map(({ column, size }, r) => ({
        population,
        r,
        column,
        size,
        matrix: state[`${name}.B`],
        row: 0,
        width: nOut,
        from: column,
      }));
    return network.readouts.flatMap(({ column, size, reads }, r) => {
      const place = reads.indexOf(q);
      if (place < 0) return [];
      const row = reads.slice(0, place).reduce((sum, other) => sum + network.populations[other].size, 0);
      return [{ population, r, column, size, matrix: readouts[r].weights, row, width: size, from: 0 }];
    });
  });
  const drive = (t: number, from: number, factor: number, rowsOf: (r: number) => Rows) => {
    for (const { population, r, size, matrix, row, width, from: first } of ways) {
      const { injected } = population;
      const told = rowsOf(r);
      for (let b = 0; b < nStream; b++) {
        const at = rowAt(injected, b, t);
        const of = rowAt(told, b, from);
        for (let j = 0; j < population.size; j++) {
          let sum = 0;
          for (let k = 0; k < size; k++) sum += matrix[(row + j) * width + first + k] * told.data[of + k];
          injected.data[at + j] += factor * sum;
        }
      }
    }
  };
  return {
    target: (t: number) => drive(t, t, p.strength, (r) => readouts[r].target),
    nudge: (t: number, from: number) => drive(t, from, -p.strength, (r) => readouts[r].error),
  };
}

/** Holds a population at the target. */
function bindClamp({ network, populations, readouts }: PassesBinding, clamped: number): (t: number) => void {
  const { z } = populations[clamped];
  return (t) => {
    for (let b = 0; b < network.sizes.stream; b++) {
      const at = rowAt(z, b, t);
      network.readouts.forEach(({ column, size }, r) => {
        const { target } = readouts[r];
        const from = rowAt(target, b, t);
        for (let k = 0; k < size; k++) z.data[at + column + k] = target.data[from + k];
      });
    }
  };
}

/** gradient += factor times the correlation of both ends of a projection in the pass just done. */
function bindCorrelation(
  { network, populations }: PassesBinding,
  { pre, gradient }: PassProjection,
  q: number,
  filter: OutputFilter,
  phases: Params['phases'],
): (steps: number, factor: number) => void {
  const { post, synapses } = network.projections[q];
  const { z } = populations[post];
  const sides = { pre: new Float64Array(synapses.nPre), post: new Float64Array(synapses.nPost) };
  const { nPre, rowStart, post: targets } = synapses;
  const add = (factor: number) => addRows(gradient, sides.pre, sides.post, rowStart, targets, 0, factor, nPre);
  const settled = { decay: 0, gain: 1 };
  return (steps, factor) => {
    for (let b = 0; b < network.sizes.stream; b++) {
      if (phases === 'settle') {
        pass(sides.pre, pre, b, steps - 1, settled);
        pass(sides.post, z, b, steps - 1, settled);
        add(factor);
        continue;
      }
      sides.pre.fill(0);
      sides.post.fill(0);
      for (let t = 0; t < steps; t++) {
        pass(sides.pre, pre, b, t, filter);
        pass(sides.post, z, b, t, filter);
        add(factor / steps);
      }
    }
  };
}

/** f = decay f + gain x of a row. */
function pass(f: Real, x: Rows, b: number, t: number, { decay, gain }: OutputFilter): void {
  const row = rowAt(x, b, t);
  for (let j = 0; j < f.length; j++) f[j] = decay * f[j] + gain * x.data[row + j];
}
