import { ConfigError } from '../core/errors.ts';
import {
  actorAndCritic,
  answered,
  falling,
  lifAndAlif,
  lifWith,
  normal,
  ofLifAndAlif,
  rates,
  remembered,
} from './presetParts.ts';

const eightBits = (range: number) => ({ bits: 8, range, rounding: 'stochastic' }) as const;

/** All numbers of `four-six-back` in words: 8 bits for what learns, 12 for what a step hands on, 16 for membranes. */
const words = {
  'projection.in.weights': eightBits(4),
  'projection.rec.weights': eightBits(0.5),
  'readout.out.weights': eightBits(2),
  'readout.out.bias.weights': eightBits(0.5),
  'population.rec.signal.A': eightBits(1 / 32),
  'population.rec.signal.J': eightBits(1),
  'population.rec.signal.B': eightBits(0.5),
  'population.rec.v': { bits: 16, range: 8 },
  'readout.out.zBar': { bits: 12, range: 2 },
  'projection.*.trace.*': { bits: 12, range: 2 },
  'population.rec.mean': { bits: 16, range: 1, rounding: 'stochastic' },
  'population.rec.signal.distal': { bits: 12, range: 0.5 },
  'population.rec.psi': { bits: 12, range: 1, signed: false },
  'readout.out.y': { bits: 16, range: 16 },
  'readout.out.error': { bits: 12, range: 1 },
  'population.rec.signal': { bits: 12, range: 0.5 },
  'population.rec.rateTerm': { bits: 12, range: 0.125 },
} as const;

const oneShotNeuron = { kind: 'lif', membrane: { tauMs: 20 }, vTh: 0.4, nRef: 5 } as const;

/**
 * Experiments to start from, as plain data. `four-six-back`: 100 binary LIF neurons, one step of 5 ms a symbol, readout
 * of z(t) alone, so that nothing is remembered for free. `four-six-back-1ms`: the same with five steps of 1 ms a symbol,
 * spiking input and a conduction delay of 3 ms. `four-six-back-8bit`: lean SG-r/D, learning in fixed point, its gradient
 * summed over five steps before it is rounded. `four-six-back-poisson`: symbols in the spikes of fifty cells each, whose weights are coherent;
 * `four-six-back-poisson-1ms`: of two hundred, at steps of 1 ms, with a conduction delay as long as a symbol, since such an input says nothing of when one begins.
 * `ten-fifteen-back`: the same network with longer lags, given time. `four-six-back-rates`: 32 tanh neurons, whose random network remembers by
 * itself; with recurrent weights of gain 0.5 it does not. `pattern-generation`: the tutorial task of Bellec et al. 2020.
 * `periodic-output`: the rate network of Murray 2019 (eLife 8:e43299), figure 2, with the sizes and weights of the paper's
 * code. `cue-reward`: evidence accumulation for a reward, by reward-based e-prop of Bellec et al. 2020. `cart-pole`: the same rule on
 * the environment that everyone knows. `delayed-choice`, `memory-saccade`: the same rule where a cue has to be remembered, and
 * where it has to be waited for. `store-recall`, `evidence`: what has to be kept over time, by e-prop 1 of Bellec et al. 2019 and 2020;
 * `temporal-xor` (task `parity`), `match-to-sample`, `interval-matching`, `copy-repeat`, `digits`: the same rule on what else is asked of working
 * memory, with constants of our own.
 * `one-shot-patterns`: learning signals that are learned, e-prop 2 of Bellec et al. 2019. `subtasks`: a linear map seen in parts, by node
 * perturbation, of Zuege et al. 2023.
 * `contrastive`: patterns learned by heart in two phases, as of Baldi and Pineda 1991.
 */
const fourSixBack = {
  name: 'four-six-back',
  task: { kind: 'n-back', lags: [4, 6], base: 0.5, effects: [0.5, -0.25] },
  network: {
    dtMs: 5,
    neurons: 100,
    neuron: { kind: 'lif', membrane: { decay: 0.5 }, vTh: 1, gamma: 0.5 },
    readout: { kind: 'leaky', filter: { decay: 0 }, bias: true },
    input: { init: { kind: 'normal-sd', sd: 1 }, bias: 0.1 },
    recurrent: { init: { kind: 'normal', gain: 1 }, autapses: true },
    output: { init: { kind: 'normal', gain: 1 } },
  },
  rule: { name: 'e-prop-1', feedback: 'random' },
  loss: { kind: 'softmax' },
  rateTerm: { strength: 0.1, targetHz: 40, mean: 'running', runningRate: 0.01 },
  optimizer: {
    kind: 'sgd',
    rates: { in: 0.2, rec: 0.2, out: 0.03 },
    schedule: { kind: 'linear-to-zero', holdUntil: 0.5 },
  },
  training: { total: 640_000, streams: 16, chunkSteps: 250, update: { every: 1, unit: 'step' } },
  evaluation: { total: 80_000, streams: 16 },
} as const;

const atOneMs = {
  ...fourSixBack,
  name: 'four-six-back-1ms',
  task: { ...fourSixBack.task, stepsPerSymbol: 5, encoding: { kind: 'regular', cells: 20, rateHz: 100 } },
  network: {
    ...fourSixBack.network,
    dtMs: 1,
    neurons: 200,
    neuron: { ...fourSixBack.network.neuron, membrane: { decay: 0.82 } },
    readout: { ...fourSixBack.network.readout, filter: { decay: 0.7 } },
    input: { init: { kind: 'normal-sd', sd: 0.559 }, bias: 0.01 },
    recurrent: { init: { kind: 'normal', gain: 1.5 }, autapses: true, delayMs: 3 },
  },
  rule: { name: 'sg-r-d', feedback: 'random', feedbackScale: 5, stepsPerPhase: 5 },
  rateTerm: { ...fourSixBack.rateTerm, strength: 5, targetHz: 30, everySteps: 5 },
  optimizer: { ...fourSixBack.optimizer, rates: { in: 0.02, rec: 0.02, out: 0.1 } },
  training: { ...fourSixBack.training, total: 960_000, update: { every: 5, unit: 'step' } },
} as const;

const presets = {
  'four-six-back': fourSixBack,
  'four-six-back-8bit': {
    ...fourSixBack,
    name: 'four-six-back-8bit',
    rule: { name: 'sg-r-d-lean' },
    training: { ...fourSixBack.training, update: { every: 5, unit: 'step' } },
    fixed: { formats: words },
  },
  'four-six-back-1ms': atOneMs,
  'four-six-back-poisson': {
    ...fourSixBack,
    name: 'four-six-back-poisson',
    task: { ...fourSixBack.task, encoding: { kind: 'poisson', cells: 50, rateHz: 100 } },
    network: {
      ...fourSixBack.network,
      // Half of the cells whose symbol is on spike in a step: their sum has a deviation of 1.
      input: { init: { kind: 'coherent', gain: 2, scatter: 0.2 }, bias: 0.1 },
    },
    rule: { name: 'sg-r-d', feedback: 'random' },
    optimizer: { ...fourSixBack.optimizer, rates: { ...fourSixBack.optimizer.rates, in: 0.008 } },
  },
  'four-six-back-poisson-1ms': {
    ...atOneMs,
    name: 'four-six-back-poisson-1ms',
    task: { ...atOneMs.task, encoding: { kind: 'poisson', cells: 200, rateHz: 100 } },
    network: {
      ...atOneMs.network,
      // Twenty of the cells whose symbol is on spike in a step: their sum has a deviation of 0.5.
      input: { init: { kind: 'coherent', gain: 5, scatter: 0.2 }, bias: 0.01 },
      recurrent: { ...atOneMs.network.recurrent, delayMs: 5 },
    },
    rateTerm: { ...atOneMs.rateTerm, targetHz: 80 },
    optimizer: { ...atOneMs.optimizer, rates: { ...atOneMs.optimizer.rates, in: 0.002 } },
    training: { ...atOneMs.training, total: 640_000 },
  },
  'ten-fifteen-back': {
    ...fourSixBack,
    name: 'ten-fifteen-back',
    task: { ...fourSixBack.task, lags: [10, 15] },
    network: { ...fourSixBack.network, neurons: 200 },
    rule: { name: 'sg-r-d', feedback: 'random', delays: 16 },
    rateTerm: { ...fourSixBack.rateTerm, strength: 0.2 },
    // Twice the neurons take half the rate: with 0.2 they run away.
    optimizer: { ...fourSixBack.optimizer, rates: { ...fourSixBack.optimizer.rates, in: 0.1, rec: 0.1 } },
    training: { ...fourSixBack.training, total: 10_240_000 },
  },
  'four-six-back-rates': {
    name: 'four-six-back-rates',
    task: { kind: 'n-back', lags: [4, 6], base: 0.5, effects: [0.5, -0.25] },
    network: {
      dtMs: 1,
      neurons: 32,
      neuron: { kind: 'rate' },
      readout: { kind: 'leaky', filter: { decay: 0 }, bias: true },
      input: { init: { kind: 'normal', gain: 1 }, bias: 0 },
      recurrent: { init: { kind: 'orthogonal', gain: 1 }, autapses: true },
      output: { init: { kind: 'normal', gain: 1 } },
    },
    rule: { name: 'dni', feedback: 'symmetric', jacobian: 'gated' },
    loss: { kind: 'softmax' },
    optimizer: { kind: 'sgd', rates: { in: 0.003, rec: 0.003, out: 0.003 } },
    training: { total: 25_000, streams: 1, chunkSteps: 500, update: { every: 1, unit: 'step' } },
    evaluation: { total: 20_000, streams: 4 },
  },
  'pattern-generation': {
    name: 'pattern-generation',
    task: { kind: 'pattern-generation', steps: 1000 },
    network: {
      dtMs: 1,
      neurons: 100,
      neuron: { kind: 'lif', membrane: { tauMs: 30 }, vTh: 0.03, gamma: 0.3, inputScale: '1-alpha' },
      readout: { kind: 'leaky', filter: { tauMs: 30 }, bias: false },
    },
    rule: { name: 'e-prop-1', feedback: 'random' },
    loss: { kind: 'square' },
    rateTerm: { strength: 300, targetHz: 10, mean: 'trial' },
    optimizer: { kind: 'sgd', rates: { in: 1e-4, rec: 1e-4, out: 1e-4 } },
    training: { total: 500, update: { every: 1, unit: 'trial' } },
    evaluation: { total: 1, streams: 1 },
  },
  'periodic-output': {
    name: 'periodic-output',
    task: { kind: 'periodic-output', steps: 100, period: 100 },
    network: {
      dtMs: 1,
      neurons: 50,
      neuron: { kind: 'rate', leak: { decay: 0.9 } },
      readout: { kind: 'leaky', filter: { decay: 0 }, bias: false },
      input: { init: { kind: 'constant', value: 3 } },
      recurrent: { init: { kind: 'normal', gain: 1.5 }, autapses: true },
      output: { init: { kind: 'normal', gain: 0.06 } },
    },
    rule: { name: 'rflo', feedback: 'random', feedbackScale: 7.07 },
    loss: { kind: 'square', scale: 'mean' },
    optimizer: { kind: 'sgd', rates: { in: 0, rec: 0.03, out: 0.03 } },
    training: { total: 10_000, update: { every: 1, unit: 'trial' } },
    evaluation: { total: 1, streams: 1 },
  },
  'cued-segments': {
    name: 'cued-segments',
    task: { kind: 'cued-segments', segments: 4, steps: 100 },
    network: {
      dtMs: 1,
      neurons: 100,
      neuron: { kind: 'rate', leak: { decay: 0.9 }, initial: 0.1 },
      readout: { kind: 'leaky', filter: { decay: 0 }, bias: false },
      input: { init: { kind: 'normal-sd', sd: 1 } },
      recurrent: { init: { kind: 'normal', gain: 1.5 }, autapses: true },
      output: { init: { kind: 'normal', gain: 0.06 } },
    },
    rule: { name: 'rflo', feedback: 'random', feedbackScale: 7.07 },
    loss: { kind: 'square', scale: 'mean' },
    optimizer: { kind: 'sgd', rates: { in: 0.03, rec: 0.03, out: 0.03 } },
    training: { total: 3000, update: { every: 1, unit: 'trial' } },
    evaluation: { total: 24, streams: 1 },
  },
  'cue-reward': remembered('cue-reward', {
    entropy: 0,
    critic: 5 / 145,
    rateTerm: { strength: 2, targetHz: 10 },
    rates: { network: 0.002, actor: 0.002, critic: 0.002 },
    holdUntil: 0.5,
    total: 48_000,
  }),
  'delayed-choice': remembered('delayed-choice', {
    entropy: 0,
    critic: 5 / 130,
    rateTerm: { strength: 0.5, targetHz: 20 },
    rates: { network: 0.002, actor: 0.002, critic: 0.002 },
    holdUntil: 0.2,
    total: 64_000,
  }),
  'memory-saccade': remembered('memory-saccade', {
    entropy: 0.01,
    critic: 5 / 120,
    rateTerm: { strength: 0.5, targetHz: 20 },
    rates: { network: 0.004, actor: 0.005, critic: 0.01 },
    holdUntil: 0.2,
    total: 64_000,
  }),
  'store-recall': answered('store-recall', {
    task: { kind: 'store-recall' },
    rateTerm: { strength: 2, targetHz: 10 },
    // One over the scored steps of a trial in the mean: 9 symbols of 20 steps, a fifth of them recalls.
    loss: { kind: 'softmax', scale: 1 / 36 },
    schedule: { kind: 'constant' },
    ofReadout: 0.02,
    total: 8_320,
  }),
  'temporal-xor': answered('temporal-xor', {
    task: { kind: 'parity' },
    rateTerm: { strength: 0.5, targetHz: 20 },
    loss: { kind: 'softmax', scale: 1 / 20 },
    schedule: falling,
    total: 96_000,
  }),
  'match-to-sample': answered('match-to-sample', {
    task: { kind: 'match-to-sample' },
    rateTerm: { strength: 2, targetHz: 10 },
    loss: { kind: 'softmax', scale: 1 / 20 },
    schedule: falling,
    total: 64_000,
  }),
  'interval-matching': answered('interval-matching', {
    task: { kind: 'interval-matching' },
    rateTerm: { strength: 0.5, targetHz: 20 },
    // One over the steps of a bump: sqrt(2 pi) standard deviations of 8.
    loss: { kind: 'square', scale: 1 / 20 },
    schedule: falling,
    total: 64_000,
  }),
  'copy-repeat': answered('copy-repeat', {
    task: { kind: 'copy-repeat', lengthenEvery: 8000 },
    rateTerm: { strength: 2, targetHz: 10 },
    // One over the scored steps of a trial in the mean: 2 symbols, 1.5 times, of 20 steps.
    loss: { kind: 'softmax', scale: 1 / 60 },
    schedule: falling,
    total: 64_000,
  }),
  digits: {
    name: 'digits',
    task: { kind: 'digits', stepsPerRow: 1, answerSteps: 8, shift: 1 },
    network: {
      dtMs: 1,
      neurons: 200,
      neuron: {
        kind: 'alif',
        membrane: { tauMs: 10 },
        vTh: 0.6,
        nRef: 1,
        adaptation: { tauMs: 100 },
        adaptBeta: 0.1,
      },
      readout: { kind: 'leaky', filter: { tauMs: 10 }, scale: '1-kappa', bias: true },
      input: { init: normal(3) },
      recurrent: { init: normal(0.7) },
    },
    rule: { name: 'e-prop-1', feedback: 'symmetric' },
    rateTerm: { strength: 0.5, targetHz: 60, mean: 'batch' },
    // One over the steps of the answer.
    loss: { kind: 'softmax', scale: 1 / 8 },
    optimizer: {
      kind: 'adam',
      rates: { in: 0.003, rec: 0.001, out: 0.01 },
      schedule: { kind: 'linear-to-zero', holdUntil: 0.3 },
    },
    training: { total: 240_000, streams: 50 },
    evaluation: { total: 2000, streams: 50 },
  },
  evidence: {
    name: 'evidence',
    task: { kind: 'evidence' },
    network: {
      dtMs: 1,
      ...lifAndAlif(50, lifWith(5), { tauMs: 2000, adaptBeta: 0.05 }, 0.3),
      readouts: {
        out: { from: ['lif', 'alif'], readout: { kind: 'leaky', filter: { tauMs: 20 }, bias: false } },
      },
    },
    rule: { name: 'e-prop-1', feedback: 'symmetric' },
    rateTerm: { strength: 0.5, targetHz: 10, mean: 'batch' },
    loss: { kind: 'softmax', scale: 'mean' },
    optimizer: {
      kind: 'adam',
      rates: { ...rates(0.0025, ...ofLifAndAlif), out: 0.02 },
      schedule: { kind: 'linear-to-zero', holdUntil: 0.3 },
    },
    training: { total: 14_400, streams: 32 },
    evaluation: { total: 1024, streams: 32 },
  },
  contrastive: {
    name: 'contrastive',
    task: { kind: 'associations' },
    network: {
      dtMs: 1,
      populations: {
        hidden: { size: 30, neuron: { kind: 'rate', leaks: 'potential', leak: { decay: 0.7 } }, bias: 0 },
        output: { size: 3, neuron: { kind: 'rate', leaks: 'potential', leak: { decay: 0.7 } }, bias: 0 },
      },
      // Symmetric, and so they stay: what is learned at w_ij is learned at w_ji.
      projections: {
        in: { from: 'input', to: 'hidden', init: { kind: 'normal', gain: 1 } },
        inner: { from: 'hidden', to: 'hidden', init: { kind: 'constant', value: 0 } },
        up: { from: 'hidden', to: 'output', init: { kind: 'constant', value: 0 } },
        down: { from: 'output', to: 'hidden', init: { kind: 'constant', value: 0 } },
      },
      readouts: {
        out: {
          from: 'output',
          readout: { kind: 'leaky', filter: { decay: 0 }, scale: '1', bias: false },
          init: { kind: 'identity' },
        },
      },
    },
    rule: { name: 'contrastive', teacher: 'nudge', strength: 5, phases: 'settle' },
    loss: { kind: 'square', scale: 'mean' },
    optimizer: {
      kind: 'sgd',
      rates: { in: 0.5, inner: 0.5, up: 0.5, down: 0.5, 'hidden.bias': 0.5, 'output.bias': 0.5, out: 0 },
    },
    training: { total: 12000, streams: 8 },
    evaluation: { total: 8, streams: 8 },
  },
  subtasks: {
    name: 'subtasks',
    task: { kind: 'subtasks', inputs: 50, active: 10 },
    network: {
      dtMs: 1,
      populations: { relay: { size: 50, neuron: { kind: 'integrator', leak: { decay: 0 }, inputScale: '1' } } },
      projections: {
        in: {
          from: 'input',
          to: 'relay',
          connectivity: { kind: 'one-to-one' },
          init: { kind: 'constant', value: 1 },
          plastic: false,
        },
      },
      readouts: {
        out: {
          from: 'relay',
          readout: { kind: 'leaky', filter: { decay: 0 }, bias: false },
          init: { kind: 'constant', value: 0 },
        },
      },
    },
    rule: { name: 'node-perturbation', sigma: 2e-4, output: 'perturbed' },
    loss: { kind: 'square', scale: 'mean' },
    // The fastest for noise on ten outputs and ten active inputs: 1 / ((10 * 10 + 2) * 10).
    optimizer: { kind: 'sgd', rates: { out: 9.8e-4 } },
    training: { total: 4000 },
    evaluation: { total: 100, streams: 1 },
  },
  'cart-pole': {
    name: 'cart-pole',
    task: { kind: 'cart-pole' },
    network: {
      dtMs: 1,
      populations: { rec: { size: 60, neuron: { kind: 'lif', membrane: { tauMs: 5 }, vTh: 0.5, nRef: 1 } } },
      projections: {
        in: { from: 'input', to: 'rec', init: { kind: 'normal', gain: 2 } },
        rec: { from: 'rec', to: 'rec', init: { kind: 'normal', gain: 0.5 } },
      },
      readouts: actorAndCritic(['rec'], 5, { entropy: 0.01, critic: 0.1, gains: [1, 0.2] }),
    },
    rule: { name: 'e-prop-1', feedback: 'random' },
    modulator: { kind: 'td-error', discount: 0.995 },
    rateTerm: { strength: 2, targetHz: 50, mean: 'batch' },
    loss: { kind: 'square', scale: 0.01 },
    optimizer: {
      kind: 'adam',
      rates: { in: 0.002, rec: 0.002, actor: 0.005, critic: 0.02 },
      schedule: { kind: 'linear-to-zero', holdUntil: 0.3 },
    },
    training: { total: 8000, streams: 16 },
    evaluation: { total: 100, streams: 20 },
  },
  'one-shot-patterns': {
    name: 'one-shot-patterns',
    task: { kind: 'one-shot-patterns' },
    network: {
      dtMs: 1,
      populations: {
        rec: { size: 50, neuron: oneShotNeuron },
        module: { size: 40, neuron: oneShotNeuron },
      },
      projections: {
        in: { from: 'input.clock', to: 'rec' },
        rec: { from: 'rec', to: 'rec', init: normal(0.2) },
        code: { from: 'input.code', to: 'module', init: normal(0.3) },
        watch: { from: 'rec', to: 'module', init: normal(0.2), delayMs: 0 },
        clock: { from: 'input.clock', to: 'module', init: normal(0.36) },
        module: { from: 'module', to: 'module', init: normal(0.2) },
      },
      readouts: {
        out: {
          from: 'rec',
          readout: { kind: 'leaky', filter: { tauMs: 20 }, scale: '1', bias: false },
          init: normal(0.3),
        },
      },
    },
    rule: { name: 'e-prop-2', module: 'module', rate: 2e-3 },
    loss: { kind: 'square', scale: 'mean' },
    rateTerm: { strength: 2, targetHz: 50, mean: 'batch' },
    optimizer: {
      kind: 'adam',
      rates: rates(0.004, 'in', 'rec', 'code', 'watch', 'clock', 'module', 'out', 'module.signal'),
      schedule: { kind: 'linear-to-zero', holdUntil: 0.5 },
      clip: 1,
    },
    training: { total: 12_000, streams: 24 },
    evaluation: { total: 240, streams: 24 },
  },
} as const;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly PresetName[];

/** A copy of a preset, to change and to pass on. @throws ConfigError for a name that is none */
export function preset(name: string): Record<string, unknown> {
  const found = (presets as Readonly<Record<string, object>>)[name];
  if (!found) throw new ConfigError('preset', name, `one of ${presetNames.join(', ')}`);
  return structuredClone(found) as Record<string, unknown>;
}
