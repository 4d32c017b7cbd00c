import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import { once } from '../src/core/once.ts';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed, magnitude, positive, signed } from '../src/core/schema.ts';
import { rateToSpikesPerStep } from '../src/core/units.ts';

const params = z.strictObject({
  kind: z.literal('pattern-generation'),
  steps: listed.default(1000).describe('length of a trial, steps'),
  inputs: listed.default(100),
  inputRateHz: magnitude.default(50).describe('of each Poisson input, Hz'),
  outputs: listed.default(1),
  cycles: z.array(positive).min(1).max(1000).default([1, 2, 3, 5]).describe('cycles of each sine per trial'),
  amplitude: z.tuple([signed, signed]).default([0.5, 2]).describe('range of the drawn amplitudes'),
});
type Params = z.infer<typeof params>;

/**
 * Pattern generation: frozen Poisson spikes drive the network, each output has to follow a sum of sines with drawn
 * amplitudes and phases, shifted to start at 0 and scaled to a largest value of 1. Every trial is the same.
 * Bellec et al. 2020 (Nat Commun 11:3625), supplementary figure on pattern generation.
 */
export const patternGeneration: TaskModel<Params> = {
  kind: 'pattern-generation',
  source: 'Bellec et al. 2020, Nat Commun 11:3625',
  params,
  derive(p, { dtMs, rng }): TaskInstance {
    const perStep = rateToSpikesPerStep(p.inputRateHz, dtMs);
    if (perStep > 1) {
      throw new ConfigError('task.inputRateHz', p.inputRateHz, `at most one spike a step, <= ${1000 / dtMs} (Hz)`);
    }
    const spikes = once(() => poisson(p.steps * p.inputs, perStep, rng.split('input')));
    const patterns = once(() =>
      Array.from({ length: p.outputs }, (_, k) => sumOfSines(p, rng.split('target').split(k))),
    );
    return {
      nIn: p.inputs,
      nOut: p.outputs,
      mode: { kind: 'trial', steps: p.steps },
      statesExpected: false,
      testIsNew: false,
      bytes: p.steps * (p.inputs + 8 * p.outputs),
      bounds: [],
      inputPopulations: [{ label: 'input', size: p.inputs }],
      fill(out) {
        const input = spikes();
        const target = patterns();
        for (let t = 0; t < p.steps; t++) {
          for (let i = 0; i < p.inputs; i++) out.x[t * out.xStride + i] = input[t * p.inputs + i];
          for (let k = 0; k < p.outputs; k++) out.target[t * p.outputs + k] = target[k][t];
          out.weight[t] = 1;
        }
        out.expected.set(out.target);
      },
    };
  },
};

function poisson(length: number, perStep: number, rng: Rng): Uint8Array {
  const spikes = new Uint8Array(length);
  for (let s = 0; s < length; s++) spikes[s] = rng.bernoulli(perStep);
  return spikes;
}

/** sum_c A_c sin(2 pi c s + phase_c), s from 0 to 1 over the trial. */
function sumOfSines({ steps, cycles, amplitude }: Params, rng: Rng): Float64Array {
  const waves = cycles.map((c) => ({
    c,
    size: amplitude[0] + (amplitude[1] - amplitude[0]) * rng.uniform(),
    phase: 2 * Math.PI * rng.uniform(),
  }));
  const raw = Float64Array.from({ length: steps }, (_, t) => {
    const s = steps > 1 ? t / (steps - 1) : 0;
    return waves.reduce((sum, { c, size, phase }) => sum + size * Math.sin(2 * Math.PI * c * s + phase), 0);
  });
  const shifted = raw.map((value) => value - raw[0]);
  const largest = shifted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest > 0 ? shifted.map((value) => value / largest) : shifted;
}
