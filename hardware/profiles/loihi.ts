import type { ChipProfile } from '../profile.ts';
import { anyDecay, bit, multiply } from './units.ts';

/** What both chips share in lava and nengo-loihi. */

export const loihiWord: ChipProfile['synapseWord'] = {
  wordBits: 64,
  headerBits: 10,
  blockSynapses: 64,
  indexBits: 10,
  kind: 'code',
  source: 'nengo-loihi: per source axon and block of 64 synapses',
};

export const loihiArithmetic: ChipProfile['arithmetic'] = {
  accumulatorBits: bit(16, 'code', 'lava: clipped to 2^15, 7 bit of it below the weight'),
  signalBits: bit(8, 'code', 'lava: y1 to y3, 7 bit and sign'),
  slopeBits: bit(8, 'code', 'lava: y1 to y3, 7 bit and sign'),
  rateBits: bit(4, 'code', 'lava: mantissa -8 to 7'),
  fractionBits: bit(7, 'code', 'lava'),
  rounding: 'floor',
};

export const loihiDecay: ChipProfile['decays'] = {
  membrane: multiply(12, [0, 1], 'code', 'lava: x (4096 - d) / 4096'),
  trace: anyDecay('code', 'lava: any factor per step, rounded stochastically'),
  readout: multiply(12, [0, 1], 'code', 'lava: x (4096 - d) / 4096'),
};
