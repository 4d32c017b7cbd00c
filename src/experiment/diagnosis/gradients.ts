import { ConfigError, UnsupportedError } from '../../core/errors.ts';
import type { Measure } from '../../core/findings.ts';
import type { Weights } from '../../core/network.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { createFeed } from '../../engine/feed.ts';
import { align } from '../alignment.ts';
import { gradientsNow } from '../auditPoint.ts';
import { createExperiment, type Experiment } from '../experiment.ts';
import { actOut, adopt, copyData, type Follower, follow, gradientOfChunk } from '../follower.ts';
import { now, unmeasured } from './updates.ts';

/** Chunks of fresh data, and steps of all streams of one of them at most. */
const size = { chunks: 4, steps: 2000 };

/** Steps back of a BPTT whose gradient cannot explode. */
const window = 16;

/**
 * The gradient of the rule against that of BPTT, over all projections that learn. Over a trial of many steps that of BPTT may explode, so
 * that the norm is also held against BPTT over a few steps, and the smaller one counts.
 */
export function measureAlignment(experiment: Experiment, catalogue: Catalogue): Measure[] {
  const { config, run } = experiment;
  const where = 'all projections';
  const refuse = (why: string): Measure[] => [
    unmeasured('signalNorm', where, why),
    unmeasured('opposition', where, why),
  ];
  const parts = learning(experiment);
  if (parts.length === 0) return refuse('no projection learns');
  if (run.outer) return refuse('its gradient is that of a second pass over each trial');
  const { streams } = config.training;
  const fewer = Math.max(1, Math.min(streams, Math.floor(size.steps / run.network.spec.sizes.step)));
  try {
    const floating = { ...config, fixed: null, training: { ...config.training, streams: fewer } };
    const gradients = gradientsNow(run, floating, catalogue, { chunks: size.chunks, window });
    const block = { name: where, kind: 'projection', parts } as const;
    const norms = gradients.flatMap(({ own, truth, windowed }) => {
      const [norm, inWindow] = [truth, windowed].map((other) => align(own, other, [block])[where].norm);
      return norm === null ? [] : [Math.max(norm, inWindow ?? norm)];
    });
    const cosines = gradients.flatMap(({ own, truth }) => {
      const { cosine } = align(own, truth, [block])[where];
      return cosine === null ? [] : [cosine];
    });
    return [
      run.passes
        ? unmeasured('signalNorm', where, 'the gradient of a rule in passes has a scale of its own')
        : norms.length > 0
          ? now('signalNorm', where, mean(norms))
          : unmeasured('signalNorm', where, 'the gradient of BPTT is 0'),
      cosines.length > 1
        ? now('opposition', where, -upper(cosines))
        : unmeasured('opposition', where, 'one of the two gradients is 0'),
    ];
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof ConfigError) return refuse(error.message);
    throw error;
  }
}

/** The gradient of the firing-rate term against that of the loss, on the same trials. */
export function measureRateTerm(experiment: Experiment, catalogue: Catalogue, when: Measure['when']): Measure[] {
  return rateShare(experiment, catalogue).map((measure) => ({ ...measure, when }));
}

function rateShare(experiment: Experiment, catalogue: Catalogue): Measure[] {
  const { config, run, task } = experiment;
  const where = 'all projections';
  const { strength } = config.rateTerm;
  const parts = learning(experiment);
  if (strength === 0) return [unmeasured('rateShare', where, 'the firing-rate term is off')];
  if (parts.length === 0) return [unmeasured('rateShare', where, 'no projection learns')];
  const build = (factor: number): Follower => {
    const floating = { ...config, fixed: null, backend: 'auto', rateTerm: { ...config.rateTerm, strength: factor } };
    const made = createExperiment(floating, catalogue);
    return { run: made.run, twin: true, config: made.config };
  };
  const both = [build(strength), build(0)];
  const [first, second] = both;
  const steps = run.network.spec.sizes.step;
  const feed = createFeed(first.run, task, createRng(config.seed).split('rate term'), config.loss.window, 'train');
  const fill = () => {
    feed.fill(steps);
    actOut(first, feed, steps);
    copyData(second.run, first.run);
  };
  for (const one of both) adopt(one, run);
  fill();
  for (const one of both) follow(one, steps);
  const sums = [0, 1].map(() => new Map<string, Float64Array>());
  for (let c = 0; c < size.chunks; c++) {
    fill();
    both.forEach((one, n) => {
      add(sums[n], gradientOfChunk(one, steps), parts);
    });
  }
  for (const one of both) one.run.stages.close();
  const share = shareOf(sums[0], sums[1], parts);
  if (share === null) return [unmeasured('rateShare', where, 'the gradient of the loss is 0')];
  return [now('rateShare', where, share)];
}

/** |with - without| / |without| */
function shareOf(
  withTerm: ReadonlyMap<string, Float64Array>,
  without: ReadonlyMap<string, Float64Array>,
  parts: readonly string[],
): number | null {
  let loss = 0;
  let term = 0;
  for (const name of parts) {
    const [a, b] = [withTerm.get(name), without.get(name)];
    if (!a || !b) continue;
    for (let s = 0; s < a.length; s++) {
      term += (a[s] - b[s]) ** 2;
      loss += b[s] ** 2;
    }
  }
  return loss > 0 ? Math.sqrt(term / loss) : null;
}

function add(sums: Map<string, Float64Array>, gradient: Weights, parts: readonly string[]): void {
  for (const name of parts) {
    const sum = sums.get(name) ?? new Float64Array(gradient[name].length);
    for (let s = 0; s < sum.length; s++) sum[s] += gradient[name][s];
    sums.set(name, sum);
  }
}

/** Blocks of projections that a rule changes. */
function learning({ run }: Experiment): string[] {
  return run.network.spec.blocks.flatMap(({ name, kind, plastic }) => (kind === 'projection' && plastic ? [name] : []));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean of a few values and two of its standard errors more. */
function upper(values: readonly number[]): number {
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  return middle + 2 * Math.sqrt(variance / values.length);
}
