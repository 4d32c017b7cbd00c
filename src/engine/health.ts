import type { Run } from './run.ts';

/** What keeps a network from computing, whatever its loss. */
export type Condition = 'silent' | 'saturated';

/** Spikes per step below and above which a spiking network is out of its range; |r| and share of rate units likewise. */
const limits = { silent: 1e-4, busy: 0.4, rate: 0.95, share: 0.5 };

/** The condition that the trial just done was in, with the number behind it; null for a network that is well. */
export function conditionOf(run: Run, steps: number): { readonly condition: Condition; readonly text: string } | null {
  const { spec, trial } = run.network;
  const { stream: nStream, step: stride, rec: n, history } = spec.sizes;
  let sum = 0;
  let full = 0;
  for (let b = 0; b < nStream; b++) {
    const first = (b * (history + stride) + history) * n;
    for (let s = first; s < first + steps * n; s++) {
      const activity = Math.abs(trial.z[s]);
      sum += activity;
      if (activity > limits.rate) full += 1;
    }
  }
  const count = nStream * steps * n;
  const mean = sum / count;
  const unit = spec.spiking ? 'spikes per step' : 'mean |rate|';
  if (mean < limits.silent)
    return { condition: 'silent', text: `the network is silent: ${mean.toExponential(1)} ${unit}` };
  if (spec.spiking && mean > limits.busy) {
    return { condition: 'saturated', text: `the network is near saturation: ${mean.toFixed(2)} ${unit}` };
  }
  if (!spec.spiking && full > limits.share * count) {
    const percent = Math.round((100 * full) / count);
    return { condition: 'saturated', text: `the network is saturated: |rate| > ${limits.rate} in ${percent} %` };
  }
  return null;
}
