import { UnsupportedError } from '../../core/errors.ts';
import { type Backend, type Network, type NetworkSpec, type Stages, upkeepOf } from '../../core/network.ts';
import type { ThresholdKernel } from '../../core/plugins.ts';
import { singleNetwork, singleSpec, whyNotSingle } from '../../core/single.ts';
import type { TensorFlow } from './device.ts';
import { bindHostStages } from './host.ts';
import { loadedTensorFlow } from './load.ts';
import { bindTensorStages } from './tensors.ts';

/**
 * TensorFlow.js: one tensor operation for all trials of a batch, step after step, no host read within a trial; the deferred
 * gradient is one matrix product over batch and time. The update stays on the host. Pays for large networks in large
 * batches, above all on a GPU; see docs/performance.md.
 */
export const tfjs: Backend = {
  name: 'tfjs',
  numberBytes: 4,
  missing,
  bytes: (_spec, lengths) => 4 * (lengths.state + 3 * lengths.trial),
  open: (spec) => {
    const absent = missing(spec);
    if (absent.length > 0)
      throw new UnsupportedError(`backend "tfjs" cannot run ${absent.join(', ')}; use another backend`);
    return { allocate: (length) => new Float32Array(length), compile };
  },
  sharesRows: () => ({ signal: false, rateTerm: false }),
  keepsTransients: false,
  gradientChunk: 1,
};

function missing(spec: NetworkSpec): string[] {
  const odd = whyNotSingle(spec);
  if (odd.length > 0) return odd;
  const names = upkeepOf(spec.projections);
  const { neuron, readout, rule, direct, projections, execution, update, sizes, kinds } = singleSpec(spec);
  if (!loadedTensorFlow()) names.push('anything before TensorFlow.js is loaded (await loadTensorFlow() first)');
  if (spec.passes) names.push('a rule of several passes over a trial');
  if (spec.formats) names.push('number formats');
  const threshold = neuron.kernel?.name === 'threshold' ? neuron.kernel : null;
  if (!threshold) names.push(`the neuron "${kinds.neuron}" as it is set`);
  if (!readout.kernel) names.push(`the readout "${kinds.readout}"`);
  if (!projections.in.dense || !projections.rec.dense) names.push('sparse projections');
  if (sizes.history > 1) names.push('recurrent delays');
  if (update.unit === 'step') names.push('updates within a trial');
  if (execution === 'online' || (rule && execution !== 'deferred')) names.push('online traces');
  const membrane = threshold?.decay;
  if (rule && (!rule.trace.kernel || rule.trace.kernel.decay !== membrane))
    names.push(`the trace "${rule.kinds.trace}" as it is set`);
  if (rule?.trace.kernel && rule.trace.kernel.resetGain > 0) names.push('traces with the reset in them');
  if (rule && rule.signal.kernel?.name !== 'broadcast') names.push(`the signal "${rule.kinds.signal}" as it is set`);
  if (rule?.signal.kernel?.errorSpikes) names.push('errors as spikes');
  if (threshold && threshold.psiLevels !== null) names.push('a pseudo-derivative in levels');
  if (direct) names.push(`the rule "${spec.rule}"`);
  if (spec.clip !== null) names.push('a clipped gradient');
  return names;
}

function compile(network: Network): Stages {
  const found = loadedTensorFlow();
  if (!found) throw new UnsupportedError('backend "tfjs": call loadTensorFlow() first');
  const single = singleNetwork(network);
  const neuron = single.spec.neuron.kernel as ThresholdKernel;
  const host = bindHostStages(network);
  const tensors = bindTensorStages(found.tf as TensorFlow, single, neuron);
  return { ...host, ...tensors, direct() {} };
}
