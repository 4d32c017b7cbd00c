import { z } from 'zod';
import { blockKey, chanceAt, signedEvent } from '../../src/core/chance.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { OptimizerModel } from '../../src/core/plugins.ts';
import { positive } from '../../src/core/schema.ts';

const params = z.strictObject({
  kind: z.literal('one-step'),
  delta: z
    .union([positive, z.record(z.string(), positive)])
    .describe(
      'what a weight moves by, up or down, with probability |rate g| / delta: of all, or by projection and readout',
    ),
});

/**
 * step = delta sign(g) with probability min(1, |rate g| / delta), else 0: the mean is rate g, and no weight has more digits than
 * delta. ReckOn's update, with draws that are independent from weight to weight.
 */
export const oneStep: OptimizerModel<z.infer<typeof params>> = {
  kind: 'one-step',
  source: 'Frenkel and Indiveri 2022, ISSCC',
  params,
  derive({ delta }, { key, owners }) {
    const deltas = deltasOf(delta, owners);
    return {
      kind: 'one-step',
      kernel: { name: 'one-step', deltas, key },
      linear: false,
      slots: [],
      step(gradient, _slots, rate, count, block) {
        const [by, own] = [deltas[block], blockKey(key, block)];
        for (let s = 0; s < gradient.length; s++)
          gradient[s] = signedEvent(rate * gradient[s], by, chanceAt(own, count, s));
      },
    };
  },
};

function deltasOf(delta: number | Readonly<Record<string, number>>, owners: readonly string[]): number[] {
  if (typeof delta === 'number') return owners.map(() => delta);
  const odd = Object.keys(delta).find((name) => !owners.includes(name));
  if (odd !== undefined) throw new ConfigError('optimizer.delta', odd, `names of ${[...new Set(owners)].join(', ')}`);
  return owners.map((owner) => {
    if (Object.hasOwn(delta, owner)) return delta[owner];
    throw new ConfigError(`optimizer.delta.${owner}`, undefined, 'what its weights move by');
  });
}
