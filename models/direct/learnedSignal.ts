import { z } from 'zod';
import { spikes } from '../../src/core/dynamics.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import type { Layout } from '../../src/core/layout.ts';
import { testShape } from '../../src/core/outer.ts';
import type { DirectContext, DirectInstance, DirectModel } from '../../src/core/plugins.ts';
import { decaySchema, magnitude } from '../../src/core/schema.ts';
import { resolveDecay } from '../../src/core/units.ts';
import { bptt } from './bptt.ts';
import { bindLearnedSignal } from './learnedSignalPasses.ts';

/** Parameters of the rule and of its direct part. */
export const learnedSignalParams = {
  module: z.string().default('module').describe('the population that makes the learning signals of all others'),
  rate: magnitude.default(2e-3).describe('of the update between inner trial and test trial'),
  filter: decaySchema.default({ tauMs: 20 }).describe("of the module's spikes on their way to learning signals"),
  scale: z.enum(['1', '1-kappa']).default('1').describe('factor on what this filter reads'),
  initScale: magnitude
    .default(1)
    .describe(
      'standard deviation of the first weights to learning signals in units of 1 / sqrt(neurons of the module)',
    ),
  gradient: z
    .enum(['full', 'first-order'])
    .default('full')
    .describe('of the initial weights: through traces and learning signals, or as if these were constants'),
};

const params = z.strictObject({ kind: z.literal('learned-signal'), ...learnedSignalParams });
type Params = z.infer<typeof params>;

/**
 * Learning signals from a population that learns to make them, a module beside the network that it teaches. A trial has two passes.
 *
 *     inner trial   with the weights W; L_j(t) = sum_m Psi_mj zf_m(t),   zf_m(t) = kappa zf_m(t-1) + zeta z_m(t)     m: in the module
 *     between       W'_ij = W_ij - rate sum_t L_j(t) e_ij(t)             of every stream; e: eligibility, not filtered for a readout
 *     test trial    with the weights W', from a state of zero, without the module; its loss is E
 *
 * All weights go down dE. With G'_ij = dE/dW'_ij, by backpropagation through the test trial,
 *
 *     s_j(t)     = sum_i G'_ij e_ij(t)         the local dynamics of neuron j in the direction G', forwards: no state per synapse
 *     dE/dL_j(t) = - rate s_j(t),   dE/dPsi_mj = sum_t zf_m(t) dE/dL_j(t),   then backwards through the module
 *     dE/dW_ij   = G'_ij                                                                                  first-order
 *                  + backwards through the inner trial, where a spike owes as presynaptic spike of e, as input of the module and
 *                  through the recurrence, and the distance x from the threshold through dpsi/dx of e          full
 *
 * Credit goes through the reset. |dpsi/dx| is that of the triangle, 0 where psi is; at the peak that of the side without a spike.
 *
 * Bellec, Scherr et al. 2019 (arXiv 1901.09049), e-prop 2, and the authors' code, which has another psi (not divided by the threshold,
 * not blocked while refractory). Gradients checked against automatic differentiation.
 */
export const learnedSignal: DirectModel<Params> = {
  kind: 'learned-signal',
  source: 'Bellec, Scherr et al. 2019, arXiv 1901.09049',
  params,
  derive(p, context): DirectInstance {
    const module = moduleOf(p, context);
    const decay = resolveDecay(p.filter, context.dtMs, 'rule.filter');
    const own = { module, rate: p.rate, decay, gain: p.scale === '1' ? 1 : 1 - decay, full: p.gradient === 'full' };
    assertDifferentiable(context, own.full);
    const { populations, projections } = context.network;
    const whole = backpropagation(context);
    const ofSynapses = (name: string, synapses: number, doc: string): Layout => {
      return { [name]: { shape: [synapses], home: 'synapse', unit: 'weight', doc } };
    };
    const passes = projections.map(({ name, synapses }) => ({
      ...ofSynapses(`${name}.adapted`, synapses.nSyn, 'weights of the test trial'),
      ...ofSynapses(`${name}.debt`, synapses.nSyn, 'gradient of the test trial'),
    }));
    return {
      layout: {},
      past: whole.past,
      work: Object.assign({}, whole.work, ...passes),
      jacobianProducts: 2 * whole.jacobianProducts,
      footprint: {
        reads: ['pre', 'z', 'psi', 'error', 'weights', 'signal', 'readout'],
        phases: ['soma'],
      },
      grain: 'update',
      // What backpropagation has no kernel for, this has none for either.
      kernel: whole.kernel && {
        name: 'learned-signal',
        rate: p.rate,
        decay,
        gain: own.gain,
        adapts: context.plastic,
        triangles: own.full ? context.kinds.map(({ triangle }) => triangle) : null,
      },
      init() {},
      bind: () => () => {},
      outer: {
        module,
        test: backpropagation(withoutModule(context, module)),
        initSignal(weights, rng) {
          const sd = p.initScale / Math.sqrt(populations[module].size);
          for (let s = 0; s < weights.length; s++) weights[s] = sd * rng.normal();
        },
        bind: (binding) => bindLearnedSignal(binding, context, own),
      },
    };
  },
};

/** Through a whole trial, and through resets. */
function backpropagation(context: DirectContext): DirectInstance {
  return bptt.derive(bptt.params.parse({ kind: 'bptt', reset: 'attached' }) as never, context);
}

/** What a rule of the test trial is derived from. */
function withoutModule(context: DirectContext, module: number): DirectContext {
  const others = <T>(list: readonly T[]): T[] => list.filter((_, p) => p !== module);
  const { network, neurons, kinds } = context;
  return { ...context, network: testShape(network, module), neurons: others(neurons), kinds: others(kinds) };
}

/** @throws ConfigError for a network in which the module does more than teach, or has nobody to teach */
function moduleOf({ module: name }: Params, { network }: DirectContext): number {
  const { populations, projections, readouts } = network;
  const module = populations.findIndex((population) => population.name === name);
  const names = populations.map((population) => population.name);
  if (module < 0) throw new ConfigError('rule.module', name, `one of ${names.join(', ')}`);
  if (populations.length < 2)
    throw new ConfigError('rule.module', name, 'a population beside others, which it teaches');
  const leaving = projections.find(({ pre, post }) => pre === module && post !== module);
  if (leaving)
    throw new ConfigError('rule.module', name, `a population without a projection to others (${leaving.name})`);
  const reading = readouts.find(({ reads }) => reads.includes(module));
  if (reading) throw new ConfigError('rule.module', name, `a population that no readout reads (${reading.name})`);
  return module;
}

/** @throws UnsupportedError for neurons without spikes, or without a psi that has a derivative where that is needed */
function assertDifferentiable({ neurons, kinds }: DirectContext, full: boolean): void {
  neurons.forEach((dynamics, p) => {
    const { kind, triangle } = kinds[p];
    if (!spikes(dynamics)) throw new UnsupportedError(`the rule needs neurons that spike, and "${kind}" does not`);
    if (full && triangle === null) {
      throw new UnsupportedError(
        `rule.gradient "full" needs a pseudo-derivative that is a triangle, and that of "${kind}" as it is set is none`,
      );
    }
  });
}
