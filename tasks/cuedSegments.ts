import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import { once } from '../src/core/once.ts';
import type { TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { countTo, listed, positive, signed } from '../src/core/schema.ts';

const params = z.strictObject({
  kind: z.literal('cued-segments'),
  segments: listed.default(4).describe('different segments, each with a cue of its own'),
  steps: listed.default(100).describe('length of a segment, steps'),
  outputs: listed.default(2).describe('dimensions of a curve'),
  harmonics: countTo(1000).default(3).describe('frequencies of a curve: 1, 2, ... per segment'),
  amplitude: positive.default(1).describe('of the lowest frequency; that of frequency m is 1/m of it'),
  cue: signed.default(1).describe('input of the segment that goes on; 0 of the others'),
  order: z
    .array(z.number().int().min(0).max(9_999_999))
    .min(1)
    .max(10_000)
    .nullable()
    .default(null)
    .describe('segments of every round, one after the other; null: each once, in an order drawn for the trial'),
  rounds: listed.default(1).describe('times that a trial goes through its order'),
});
type Params = z.infer<typeof params>;

/**
 * Segments of movement, each cued by a tonic input of its own: the outputs follow a smooth closed curve.
 *
 *     x_i(t)  = cue while segment i goes on, else 0
 *     y*_k(t) = A sum_m sin(2 pi m tau / D + phase_ikm) / m,      m = 1 .. harmonics; tau: steps since the segment began; D: its length
 *
 * A trial is a pass through several segments, in the same order in every round; the network's state goes on from one into the next. Phases
 * are uniform and drawn once, from the seed. Trials differ in their order alone, which depends on the seed and the number of the trial: what
 * is to be learned by heart is the same in training and test.
 *
 * After Murray 2019 (eLife 8:e43299): short segments cued by one unit of a second population. The curves are ours.
 */
export const cuedSegments: TaskModel<Params> = {
  kind: 'cued-segments',
  source: 'Murray 2019, eLife 8:e43299',
  params,
  derive(p, { rng }): TaskInstance {
    const odd = p.order?.find((segment) => segment >= p.segments);
    if (odd !== undefined) {
      throw new ConfigError('task.order', odd, `segments >= 0 and < ${p.segments} (task.segments)`);
    }
    const curves = once(() => drawCurves(p, rng.split('phases')));
    const orders = rng.split('orders');
    const length = p.rounds * (p.order?.length ?? p.segments);
    return {
      nIn: p.segments,
      nOut: p.outputs,
      mode: { kind: 'trial', steps: length * p.steps },
      statesExpected: false,
      testIsNew: false,
      bytes: 8 * p.segments * p.steps * p.outputs,
      bounds: [],
      inputPopulations: [{ label: 'cues', size: p.segments }],
      fill(out, _rng, start) {
        write(out, p, curves(), p.order ?? shuffled(p.segments, orders.split(start)));
      },
    };
  },
};

/** [segment][step][output] */
function drawCurves({ segments, steps, outputs, harmonics, amplitude }: Params, rng: Rng): Float64Array {
  const curves = new Float64Array(segments * steps * outputs);
  for (let i = 0; i < segments; i++) {
    for (let k = 0; k < outputs; k++) {
      for (let m = 1; m <= harmonics; m++) {
        const phase = 2 * Math.PI * rng.uniform();
        for (let t = 0; t < steps; t++) {
          const at = (i * steps + t) * outputs + k;
          curves[at] += (amplitude / m) * Math.sin((2 * Math.PI * m * t) / steps + phase);
        }
      }
    }
  }
  return curves;
}

function shuffled(n: number, rng: Rng): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function write(
  out: TrialTarget,
  { segments, steps, outputs, cue, rounds }: Params,
  curves: Float64Array,
  order: readonly number[],
) {
  for (let s = 0; s < rounds * order.length; s++) {
    const segment = order[s % order.length];
    const curve = curves.subarray(segment * steps * outputs, (segment + 1) * steps * outputs);
    out.target.set(curve, s * steps * outputs);
    for (let t = s * steps; t < (s + 1) * steps; t++) {
      for (let i = 0; i < segments; i++) out.x[t * out.xStride + i] = i === segment ? cue : 0;
      out.weight[t] = 1;
    }
  }
  out.expected.set(out.target);
}
