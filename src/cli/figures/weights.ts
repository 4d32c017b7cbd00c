import { type Weights, type Whole, wholesOf } from '../../core/network.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { type FigureOptions, renderWeights } from '../../plot/index.ts';

/** Pairs of neurons beyond which a sparse projection is not drawn: a synapse would be far less than a pixel. */
const mostPairs = 4_000_000;

/** Projections between neurons. */
export function drawnProjections({ run }: Experiment): Whole[] {
  return wholesOf(run.network.spec).filter(({ parts, synapses: { dense, nPre, nPost } }) => {
    return parts[0].pre !== null && (dense || nPre * nPost <= mostPairs);
  });
}

/** One projection before and after training. */
export function drawWeights(
  title: string,
  name: string,
  unit: string,
  before: Experiment,
  after: Experiment,
  options: FigureOptions = {},
): Uint8Array {
  const matrix = (label: string, { run }: Experiment) => {
    const found = wholesOf(run.network.spec).find((whole) => whole.name === name) as Whole;
    const { nPre, nPost } = found.synapses;
    return { label, pre: nPre, post: nPost, values: matrixOf(found, run.network.weights) };
  };
  const matrices = [matrix('before training', before), matrix('after training', after)];
  return renderWeights({ title, unit, matrices }, options);
}

/** Weights of a projection with all its delays, NaN where there is no synapse. [pre][post] */
function matrixOf({ synapses: { nPre, nPost }, parts }: Whole, weights: Weights): Float64Array {
  const values = new Float64Array(nPre * nPost).fill(Number.NaN);
  for (const { name, synapses } of parts) {
    const { rowStart, post } = synapses;
    for (let i = 0; i < nPre; i++) {
      for (let s = rowStart[i]; s < rowStart[i + 1]; s++) values[i * nPost + post[s]] = weights[name][s];
    }
  }
  return values;
}
