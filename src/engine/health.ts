import { rowAt } from '../core/rows.ts';
import type { Run } from './run.ts';

/** What keeps a network from computing, whatever its loss. */
export type Condition = 'silent' | 'saturated';

/** Spikes per step below and above which a spiking network is out of its range; |r| and share of rate units likewise. */
const limits = { silent: 1e-4, busy: 0.4, rate: 0.95, share: 0.5 };

/** @param activity mean of the trial just done, as its scores have it. @returns null for a network that is well */
export function conditionOf(
  run: Run,
  steps: number,
  activity: number,
): { readonly condition: Condition; readonly text: string } | null {
  const { populations } = run.network.spec;
  if (populations.every(({ spiking }) => !spiking)) return conditionOfRates(run, steps);
  if (activity < limits.silent) return silent(activity, 'spikes per step');
  if (activity <= limits.busy) return null;
  return { condition: 'saturated', text: `the network is near saturation: ${activity.toFixed(2)} spikes per step` };
}

function silent(mean: number, unit: string) {
  return { condition: 'silent', text: `the network is silent: ${mean.toExponential(1)} ${unit}` } as const;
}

/** Rates have signs, so their mean says nothing. */
function conditionOfRates(run: Run, steps: number): ReturnType<typeof conditionOf> {
  const { spec, activity } = run.network;
  let sum = 0;
  let full = 0;
  let count = 0;
  for (const { z } of activity) {
    for (let b = 0; b < spec.sizes.stream; b++) {
      const first = rowAt(z, b, 0);
      for (let s = first; s < first + steps * z.size; s++) {
        const rate = Math.abs(z.data[s]);
        sum += rate;
        if (rate > limits.rate) full += 1;
      }
      count += steps * z.size;
    }
  }
  const mean = sum / count;
  if (mean < limits.silent) return silent(mean, 'mean |rate|');
  if (full <= limits.share * count) return null;
  const percent = Math.round((100 * full) / count);
  return { condition: 'saturated', text: `the network is saturated: |rate| > ${limits.rate} in ${percent} %` };
}
