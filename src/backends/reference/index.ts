import { type Backend, creditsInSteps, type Network, type Stages, tellsNeurons } from '../../core/network.ts';
import { bindCorrelate } from './correlate.ts';
import { bindCredit } from './credit.ts';
import { bindForward } from './forward.ts';
import { bindGradient, bindSignals } from './gradient.ts';
import { bindRateTerm } from './rateTerm.ts';
import { bindUpdate } from './update.ts';

/**
 * The oracle: float64 throughout, every stage the plain step of its plug-in, one stream after the other. Slow on purpose
 * where speed would hide an equation.
 */
export const reference: Backend = {
  name: 'reference',
  numberBytes: 8,
  missing: ({ execution, formats }) => [
    ...(execution === 'postponed' ? ['postponed traces'] : []),
    ...(formats ? ['number formats'] : []),
  ],
  bytes: (_spec, lengths) => 8 * (lengths.state + lengths.trial),
  open: () => ({ allocate: (length) => new Float64Array(length), compile: compileReference }),
  sharesRows: (spec) => ({ signal: !tellsNeurons(spec), rateTerm: !tellsNeurons(spec) }),
  keepsTransients: true,
  gradientChunk: 1,
};

/** The plain stages of a network, on whatever numbers it was allocated. */
export function compileReference(network: Network): Stages {
  const signals = bindSignals(network);
  return {
    ...bindForward(network),
    ...bindRateTerm(network),
    ...bindGradient(network, signals),
    ...(creditsInSteps(network.spec) && network.spec.modulator ? bindCredit(network, network.spec.modulator) : {}),
    ...(network.spec.passes ? bindCorrelate(network) : {}),
    update: bindUpdate(network, signals),
    ready: () => Promise.resolve(),
    close() {},
  };
}
