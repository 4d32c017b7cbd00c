import type { Measure } from '../core/findings.ts';
import type { PopulationSpec } from '../core/network.ts';
import type { Activity } from '../core/plugins.ts';
import { rowAt } from '../core/rows.ts';
import type { Run } from './run.ts';

/** |rate| and phi' beyond which a tanh is at its end: phi'(0.95) = 0.0975. */
const end = { rate: 0.95, slope: 0.1 };
/** Numbers looked at of a population. */
const most = 4096;

/**
 * Activity and pseudo-derivatives of every population in the trial that `run` has just done: of spiking ones spikes per step, the share of steps that these and
 * refractory times take, and that of psi > 0, of others mean |rate| and the share at its ends. Of many numbers every n-th.
 */
export function measureActivity({ network }: Run, steps: number, when: Measure['when']): Measure[] {
  const { spec, activity } = network;
  return spec.populations.flatMap((population, p) =>
    measurePopulation(population, activity[p], spec.sizes.stream, steps, when),
  );
}

function measurePopulation(
  { name, spiking, neuron }: PopulationSpec,
  { z, psi }: Activity,
  streams: number,
  steps: number,
  when: Measure['when'],
): Measure[] {
  const total = streams * steps * z.size;
  // A stride that has no factor in common with the neurons, so that all of them are met.
  let stride = Math.max(1, Math.floor(total / most));
  while (common(stride, z.size) > 1) stride++;
  let [count, sum, open, ends] = [0, 0, 0, 0];
  for (let s = 0; s < total; s += stride) {
    const j = s % z.size;
    const row = (s - j) / z.size;
    const t = row % steps;
    const b = (row - t) / steps;
    const size = Math.abs(z.data[rowAt(z, b, t) + j]);
    const slope = psi.data[rowAt(psi, b, t) + j];
    count += 1;
    sum += size;
    if (slope > 0) open += 1;
    if (size > end.rate && slope < end.slope) ends += 1;
  }
  const at = { where: name, when } as const;
  return spiking
    ? [
        { ...at, quantity: 'spikes', value: sum / count },
        { ...at, quantity: 'occupied', value: (sum / count) * Math.max(1, neuron.nRef) },
        { ...at, quantity: 'psi', value: open / count },
      ]
    : [
        { ...at, quantity: 'magnitude', value: sum / count },
        { ...at, quantity: 'ends', value: ends / count },
      ];
}

function common(a: number, b: number): number {
  return b === 0 ? a : common(b, a % b);
}
