import { z } from 'zod';
import type { Rule } from '../../src/core/plugins.ts';
import { count, countTo, magnitude, positive } from '../../src/core/schema.ts';
import { errorSpikeSize } from '../signals/broadcast.ts';
import type { DendriteParams } from '../signals/dendrite.ts';

/** Parameters that all rules of the family share, with the values of the recipe as defaults. */
const common = {
  feedback: z.enum(['symmetric', 'random']).default('random'),
  feedbackScale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(nRec)'),
  label: z.boolean().default(true).describe('whether A reads the target'),
  squash: z
    .enum(['none', 'tanh', 'spikes'])
    .default('none')
    .describe('limit on the distal broadcast, or signed events'),
  spikeSize: positive.default(0.1).describe('what one event of a spiking broadcast stands for'),
  errorSpikeSize,
  copyEvery: count.default(1).describe('phases between refreshes of the slow copy of A'),
  rateA: magnitude.default(0.5).describe('of A, before normalisation'),
  rateJ: magnitude.default(0.5).describe('of J, before normalisation'),
  normalised: z.boolean().default(true).describe('divide both by 1 + the mean square of what the matrix reads'),
  stepsPerPhase: count.default(1).describe('steps between distal phases: the steps of a symbol'),
  late: z.boolean().default(false).describe('the distal voltage reaches the synapses one step later'),
};
const delays = countTo(10_000);
type Common = z.infer<z.ZodObject<typeof common>>;

const source = 'Marschall, Cho, Savin 2019, arXiv 1905.12100; spiking forms of this project';

/** Parameters that the signal has by the same name. */
const handedOn = [
  'feedback',
  'label',
  'squash',
  'spikeSize',
  'errorSpikeSize',
  'copyEvery',
  'rateA',
  'rateJ',
  'normalised',
  'stepsPerPhase',
  'late',
] as const satisfies readonly (keyof Common)[];

/** The signal of the shared parameters; each rule says what is its own. */
function signalOf(p: Common, own: Partial<DendriteParams>) {
  const shared = Object.fromEntries(handedOn.map((name) => [name, p[name]]));
  return { kind: 'dendrite', scale: p.feedbackScale, ...shared, ...own };
}

const eligibility = (p: Pick<Common, 'late' | 'stepsPerPhase'>) => ({
  kind: 'eligibility',
  late: p.late,
  restartEvery: p.stepsPerPhase > 1 ? p.stepsPerPhase : null,
});

const sgrdParams = z.strictObject({
  name: z.literal('sg-r-d'),
  ...common,
  delays: delays.default(6).describe('D: spikes of t, t-1, .. t-D+1 that A reads'),
});

/**
 * SG-r/D: the segregated-dendrite rule on spikes, with delayed spikes on the synapses of A. V = q + J^T A f meets the
 * neuron's eligibility trace; see `models/signals/dendrite.ts` for all equations.
 */
export const sgrd: Rule<z.infer<typeof sgrdParams>> = {
  name: 'sg-r-d',
  source,
  summary: 'segregated dendrites, credit predicted from delayed spikes',
  params: sgrdParams,
  parts: (p) => ({ trace: eligibility(p), signal: signalOf(p, { delays: p.delays }) }),
};

const leanParams = z.strictObject({
  ...sgrdParams.shape,
  name: z.literal('sg-r-d-lean'),
  label: z.boolean().default(false),
});

/** SG-r/D without eligibility filter and without label: every presynaptic factor is a spike. */
export const sgrdLean: Rule<z.infer<typeof leanParams>> = {
  name: 'sg-r-d-lean',
  source,
  summary: 'SG-r/D without traces at the synapses',
  params: leanParams,
  parts: (p) => ({
    trace: { ...eligibility(p), presynapticFilter: false },
    signal: signalOf(p, { delays: p.delays }),
  }),
};

const plainRates = {
  normalised: z.boolean().default(false),
  copyEvery: count.default(5),
  rateA: magnitude.default(0.03),
  rateJ: magnitude.default(0.03),
};
const sgrParams = z.strictObject({ name: z.literal('sg-r'), ...common, ...plainRates, delays: delays.default(1) });

/** SG-r: A predicts the credit of the present activity, J the next activity. */
export const sgr: Rule<z.infer<typeof sgrParams>> = {
  name: 'sg-r',
  source,
  summary: 'segregated dendrites, credit of the spikes',
  params: sgrParams,
  parts: (p) => ({ trace: eligibility(p), signal: signalOf(p, { delays: p.delays, predicts: 'present' }) }),
};

const sgzParams = z.strictObject({ ...sgrParams.shape, name: z.literal('sg-z') });

/** SG-z: as SG-r, but J learns the current, hence W, and psi gates it. */
export const sgz: Rule<z.infer<typeof sgzParams>> = {
  name: 'sg-z',
  source,
  summary: 'segregated dendrites, J mirrors the weights',
  params: sgzParams,
  parts: (p) => ({
    trace: eligibility(p),
    signal: signalOf(p, { delays: p.delays, predicts: 'present', jacobian: 'gated' }),
  }),
};

const sgvParams = z.strictObject({ ...sgrParams.shape, name: z.literal('sg-v') });

/** SG-v: A predicts the credit of the membrane, so that no trace is needed: dW_ij = - eta V_j p_i. */
export const sgv: Rule<z.infer<typeof sgvParams>> = {
  name: 'sg-v',
  source,
  summary: 'segregated dendrites, credit of the membranes, no trace',
  params: sgvParams,
  parts: (p) => ({
    trace: { ...eligibility(p), presynapticFilter: false, gate: 'none' },
    signal: signalOf(p, { delays: p.delays, predicts: 'present', jacobian: 'gated', credit: 'membrane' }),
  }),
};

const sgdParams = z.strictObject({
  ...sgrdParams.shape,
  name: z.literal('sg-d'),
  reset: z.boolean().default(false).describe("credit through the neuron's own reset"),
});

/** SG-d: gated and mirrored, with delays: A predicts the credit of the next membrane, J mirrors W. */
export const sgd: Rule<z.infer<typeof sgdParams>> = {
  name: 'sg-d',
  source,
  summary: 'segregated dendrites, mirrored weights, credit of the next membranes',
  params: sgdParams,
  parts: (p) => ({
    trace: eligibility(p),
    signal: signalOf(p, { delays: p.delays, jacobian: 'gated', credit: 'membrane', reset: p.reset }),
  }),
};

const dniParams = z.strictObject({
  name: z.literal('dni'),
  ...common,
  ...plainRates,
  squash: z.enum(['none', 'tanh', 'spikes']).default('tanh').describe('limit on the bootstrapped credit'),
  rateA: magnitude.default(0.01),
  rateJ: magnitude.default(0.01),
  jacobian: z.enum(['linear', 'gated', 'exact']).default('linear'),
  startA: z.enum(['zero', 'normal']).default('zero').describe('normal: sd 1 / sqrt(features)'),
  startJ: z.enum(['zero', 'weights']).default('weights').describe('weights: a copy of W'),
});

/** The rule for rates, as Marschall, Cho and Savin have it: synthetic gradients with a learned or exact Jacobian. */
export const dni: Rule<z.infer<typeof dniParams>> = {
  name: 'dni',
  source: 'Marschall, Cho, Savin 2019, arXiv 1905.12100; 2020, JMLR 21:135',
  summary: 'segregated dendrites for rates: synthetic gradients, Jacobian learned or exact',
  params: dniParams,
  parts: (p) => ({
    trace: { ...eligibility(p), presynapticFilter: false },
    signal: signalOf(p, {
      delays: 1,
      predicts: 'present',
      jacobian: p.jacobian,
      startA: p.startA,
      startJ: p.startJ,
    }),
  }),
};
