import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import type { Layout, Real, Views } from '../../src/core/layout.ts';
import { type ArrayLoops, createNoise } from '../../src/core/noise.ts';
import type { BoundPasses, Pass, PassesBinding, PassesModel } from '../../src/core/plugins.ts';
import type { Rng } from '../../src/core/rng.ts';
import { clearRows, type Rows, rowAt } from '../../src/core/rows.ts';
import { countTo, positive } from '../../src/core/schema.ts';

/** What both kinds of perturbation are told. */
export const perturbationParams = {
  sigma: positive.default(0.01).describe('standard deviation of the noise, in the unit of what it is added to'),
  noise: z
    .enum(['normal', 'sign'])
    .default('normal')
    .describe('distribution: normal, or plus or minus sigma, which is a random bit and faster'),
  copies: countTo(100_000).default(1).describe('perturbed passes of each trial, whose estimates are averaged'),
  output: z
    .enum(['error', 'perturbed'])
    .default('error')
    .describe('readouts learn from their own error, or are perturbed as well'),
};

const weightParams = z.strictObject({ kind: z.literal('weight-perturbation'), ...perturbationParams });
const nodeParams = z.strictObject({ kind: z.literal('node-perturbation'), ...perturbationParams });
type Params = Omit<z.infer<typeof nodeParams>, 'kind'>;

/** Writes n numbers of standard deviation sd, those that come next. */
type Draw = (out: Real, from: number, n: number, sd: number) => void;

/** Where noise comes from: numbers of mean 0 of a pass of the `trial`-th trial, for a block of weights or the steps of a stream. */
export type PerturbationNoise = (trial: number, pass: number, place: string, stream: number) => Draw;

function noiseFrom(rng: Rng, { noise: kind }: Pick<Params, 'noise'>, arrays: ArrayLoops): PerturbationNoise {
  return (trial, pass, place, stream) => {
    const noise = createNoise(rng.split(trial).split(pass).split(place).split(stream), kind);
    let next = 0;
    return (out, from, n, sd) => {
      arrays.draw(noise, next, out, from, n, sd);
      next += n;
    };
  };
}

const layout = {
  drawn: { shape: [1], home: 'global', unit: 'trials', doc: 'trials for which noise was drawn', bookkeeping: true },
} as const satisfies Layout;

/** A chip that can draw it again keeps a seed instead. */
const weightKeeps = {
  noise: { shape: ['syn'], home: 'synapse', unit: 'weight', doc: 'noise of this trial' },
} as const satisfies Layout;
const nodeKeeps = {
  eligibility: {
    shape: ['syn'],
    home: 'synapse',
    unit: 'weight',
    doc: 'what arrived times noise, summed over the trial',
  },
} as const satisfies Layout;

function passesOf(copies: number): Pass[] {
  const perturbed = Array.from({ length: copies }, (_, c): Pass => {
    return { name: copies === 1 ? 'perturbed' : `perturbed ${c + 1}`, from: 'start', stepwise: false };
  });
  return [{ name: 'free', from: 'start', stepwise: false }, ...perturbed];
}

/**
 * Weight perturbation: a trial with the weights as they are, and one with noise added to each of them, drawn once a trial and the
 * same for all streams.
 *
 *     xi_s ~ N(0, sigma^2),      dE/dw_s ~ (E(w + xi) - E(w)) xi_s / sigma^2
 *
 * Its mean is the gradient of the loss that the noise has smoothed, so it needs no derivative of a spike.
 *
 * Noise is normal, or plus or minus sigma: only its variance counts for the mean.
 *
 * Cauwenberghs 1993 (NIPS 5); Zuege, Klos, Memmesheimer 2023 (Phys Rev X 13:021006).
 */
export const weightPerturbation = weightPerturbationWith(null);

/** Weight perturbation with noise from somewhere else; null: from the run's own generator. */
export function weightPerturbationWith(noise: PerturbationNoise | null): PassesModel<z.infer<typeof weightParams>> {
  return {
    kind: 'weight-perturbation',
    source: 'Cauwenberghs 1993, NIPS 5; Zuege, Klos, Memmesheimer 2023, Phys Rev X 13:021006',
    params: weightParams,
    derive(p, context) {
      return {
        layout,
        copies: ['kept', 'noise'],
        keeps: { neurons: {}, synapses: weightKeeps },
        judged: true,
        footprint: { reads: ['error'], phases: ['soma'] },
        passes: passesOf(p.copies),
        injects: { current: false, output: false },
        clamps: false,
        readouts: p.output === 'error' ? 'error' : 'passes',
        init() {},
        bind: (binding) => bindWeights(binding, p, noise ?? noiseFrom(context.rng.split('noise'), p, binding.arrays)),
      };
    },
  };
}

/** Numbers that are perturbed together. */
interface Perturbed {
  /** Of the block of weights. */
  readonly name: string;
  readonly weights: Real;
  readonly gradient: Real;
  readonly kept: Real;
  readonly noise: Real;
  /** Entries that are stored and not there. */
  readonly masked: Int32Array | null;
}

function perturbed(
  name: string,
  weights: Real,
  gradient: Real,
  { kept, noise }: Views,
  masked: Int32Array | null = null,
): Perturbed {
  return { name, weights, gradient, kept, noise, masked };
}

function bindWeights(
  binding: PassesBinding,
  { sigma, copies, output }: Params,
  noiseOf: PerturbationNoise,
): BoundPasses {
  const { network, state, projections, readouts } = binding;
  const blocks = projections.flatMap(({ plastic, weights, gradient, copies }, q) => {
    const { name, synapses } = network.projections[q];
    return plastic ? [perturbed(name, weights, gradient, copies, synapses.masked)] : [];
  });
  if (output === 'perturbed') {
    readouts.forEach(({ plastic, weights, bias, gradient, copies: own }, r) => {
      const { name } = network.readouts[r];
      if (plastic.weights) blocks.push(perturbed(name, weights, gradient.weights, own.weights));
      if (plastic.bias) blocks.push(perturbed(`${name}.bias`, bias, gradient.bias, own.bias));
    });
  }
  let free = 0;
  return {
    begin(pass) {
      if (pass === 0) return;
      for (const { name, weights, kept, noise, masked } of blocks) {
        noiseOf(state.drawn[0], pass, name, 0)(noise, 0, noise.length, sigma);
        kept.set(weights);
        if (masked) for (const s of masked) noise[s] = 0;
        for (let s = 0; s < noise.length; s++) weights[s] += noise[s];
      }
    },
    end(pass, _steps, loss) {
      const total = loss.reduce((sum, one) => sum + one, 0);
      if (pass === 0) {
        free = total;
        return;
      }
      const factor = (total - free) / (sigma * sigma * copies);
      for (const { weights, gradient, kept, noise } of blocks) {
        weights.set(kept);
        for (let s = 0; s < noise.length; s++) gradient[s] += factor * noise[s];
      }
      if (pass === copies) state.drawn[0] += 1;
    },
  };
}

/**
 * Node perturbation: a trial as it is, and one with noise added to the summed input of every neuron that learns, at every step.
 *
 *     xi_j(t) ~ N(0, sigma^2),      dE/dW_ij ~ (E_noisy - E) / sigma^2  sum_t p_i(t) xi_j(t)
 *
 * p_i(t) is what arrives in the noisy trial, not filtered: the noise passes the membrane as the input does.
 *
 * Fiete, Seung 2006 (Phys Rev Lett 97:048104); Zuege, Klos, Memmesheimer 2023 (Phys Rev X 13:021006).
 */
export const nodePerturbation = nodePerturbationWith(null);

/** Node perturbation with noise from somewhere else; null: from the run's own generator. */
export function nodePerturbationWith(noise: PerturbationNoise | null): PassesModel<z.infer<typeof nodeParams>> {
  return {
    kind: 'node-perturbation',
    source: 'Fiete, Seung 2006, Phys Rev Lett 97:048104; Zuege, Klos, Memmesheimer 2023, Phys Rev X 13:021006',
    params: nodeParams,
    derive(p, context) {
      const { readouts } = context.network;
      const odd = readouts.find(({ decay, bias }) => p.output === 'perturbed' && bias && decay !== 0);
      if (odd) {
        const wanted = `"error", or readouts without a bias or without a filter: noise behind the filter of "${odd.name}" says nothing of its bias`;
        throw new ConfigError(`${context.path}.output`, p.output, wanted);
      }
      return {
        layout,
        copies: [],
        keeps: { neurons: {}, synapses: nodeKeeps },
        judged: true,
        footprint: { reads: ['pre', 'error'], phases: ['soma'] },
        passes: passesOf(p.copies),
        injects: { current: true, output: p.output === 'perturbed' },
        clamps: false,
        readouts: p.output === 'error' ? 'error' : 'passes',
        init() {},
        bind: (binding) => bindNodes(binding, p, noise ?? noiseFrom(context.rng.split('noise'), p, binding.arrays)),
      };
    },
  };
}

function bindNodes(binding: PassesBinding, { sigma, copies, output }: Params, noiseOf: PerturbationNoise): BoundPasses {
  const { network, state, populations, readouts } = binding;
  const { stream: nStream } = network.sizes;
  const taught = taughtPopulations(binding);
  const noisy = populations.flatMap(({ injected }, p) =>
    taught[p] ? [{ name: network.populations[p].name, rows: injected }] : [],
  );
  if (output === 'perturbed') {
    readouts.forEach(({ injected, plastic }, r) => {
      if (plastic.weights) noisy.push({ name: network.readouts[r].name, rows: injected });
    });
  }
  const free = new Float64Array(nStream);
  return {
    begin(pass, steps) {
      for (const { name, rows } of noisy) {
        for (let b = 0; b < nStream; b++) {
          if (pass === 0) clearRows(rows, b, steps);
          else fill(rows, b, steps, sigma, noiseOf(state.drawn[0], pass, name, b));
        }
      }
    },
    end(pass, steps, loss) {
      if (pass === 0) {
        free.set(loss);
        return;
      }
      for (let b = 0; b < nStream; b++) {
        const factor = (loss[b] - free[b]) / (sigma * sigma * copies);
        for (const { rows } of noisy)
          eachPiece(rows, b, steps, (from, n) => binding.arrays.scale(rows.data, from, n, factor));
      }
      binding.correlate(steps);
      if (pass === copies) state.drawn[0] += 1;
    },
  };
}

/** Populations on which a projection ends that learns. */
function taughtPopulations({ network, projections }: PassesBinding): boolean[] {
  return network.populations.map((_, p) =>
    network.projections.some(({ post }, q) => post === p && projections[q].plastic),
  );
}

/** Noise for all steps of a stream. */
function fill(rows: Rows, b: number, steps: number, sigma: number, draw: Draw): void {
  eachPiece(rows, b, steps, (from, n) => draw(rows.data, from, n, sigma));
}

/** The numbers of all steps of a stream: at once where rows have no others between them. */
function eachPiece(rows: Rows, b: number, steps: number, act: (from: number, n: number) => void): void {
  if (rows.size === rows.width) act(rowAt(rows, b, 0), steps * rows.size);
  else for (let t = 0; t < steps; t++) act(rowAt(rows, b, t), rows.size);
}
