import { UnsupportedError } from './errors.ts';
import type { ClosedDynamics, LinearDynamics, NeuronDynamics } from './plugins.ts';

/** What a unit of input is worth where a part has multiplied with everything else: matrices hold the gain of the input already. */
export function inputGain(dynamics: NeuronDynamics): number {
  return dynamics.form === 'linear' ? 1 : dynamics.gain;
}

/** Whether a spike takes something off its own neuron. */
export function resets(dynamics: NeuronDynamics): boolean {
  if (dynamics.form === 'linear') return dynamics.reset.some((value) => value !== 0);
  return dynamics.resetGain > 0;
}

/** Whether a neuron's own spikes change its threshold, or states beside the one that they reset. */
export function adapts(dynamics: NeuronDynamics): boolean {
  return dynamics.form === 'linear' ? dynamics.own.some((value) => value !== 0) : dynamics.adaptation !== null;
}

/** Whether the output of a neuron is a spike that psi stands for, and not a rate. */
export function spikes(dynamics: NeuronDynamics): boolean {
  return dynamics.form === 'linear' ? dynamics.gate === 'spike' : dynamics.form === 'filter-then-post';
}

/** @throws UnsupportedError for a neuron whose derivatives are matrices @param who for the message: `rule: ...` */
export function closedOf(dynamics: NeuronDynamics, who: string): ClosedDynamics {
  if (dynamics.form !== 'linear') return dynamics;
  throw new UnsupportedError(`${who} needs neurons with one filter and the same constants in all of a population`);
}

/** The matrices of n neurons; those of a closed form, too. */
export function linearOf(dynamics: NeuronDynamics, n: number): LinearDynamics {
  if (dynamics.form === 'linear') return dynamics;
  const { form, decay, gain, adaptation, resetGain } = dynamics;
  const m = adaptation ? 2 : 1;
  const [transition, input, own, reset, read] = [m * m, m, m, m, m].map((length) => new Float64Array(length * n));
  for (let j = 0; j < n; j++) {
    transition[j * m * m] = decay;
    input[j * m] = gain;
    reset[j * m] = resetGain;
    read[j * m] = 1;
    if (!adaptation) continue;
    transition[j * 4 + 3] = adaptation.decay;
    own[j * 2 + 1] = 1;
    read[j * 2 + 1] = -adaptation.strength[j];
  }
  return {
    form: 'linear',
    states: m,
    gate: form === 'post-then-filter' ? 'input' : 'spike',
    transition,
    input,
    own,
    reset,
    read,
  };
}

/** The same without memory: a unit of input moves the distance from the threshold, or the rate, by this much in its own step. */
export function instantOf(dynamics: LinearDynamics, n: number): LinearDynamics {
  const { states, input, read } = dynamics;
  const zeros = () => new Float64Array(n);
  const moved = Float64Array.from({ length: n }, (_, j) => {
    let sum = 0;
    for (let r = 0; r < states; r++) sum += input[j * states + r] * read[j * states + r];
    return sum;
  });
  const common = { form: 'linear', states: 1, gate: dynamics.gate } as const;
  return { ...common, transition: zeros(), input: moved, own: zeros(), reset: zeros(), read: zeros().fill(1) };
}
