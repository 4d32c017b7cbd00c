import type { Catalogue } from '../src/core/plugins.ts';
import { alif } from './neurons/alif.ts';
import { lif } from './neurons/lif.ts';
import { rate } from './neurons/rate.ts';
import { leaky } from './readouts/leaky.ts';
import { dni, sgd, sgr, sgrd, sgrdLean, sgv, sgz } from './rules/dendrite.ts';
import { eprop1 } from './rules/eprop1.ts';
import { factored } from './rules/factored.ts';
import { readoutOnly } from './rules/readoutOnly.ts';
import { broadcast } from './signals/broadcast.ts';
import { dendrite } from './signals/dendrite.ts';
import { eligibility } from './traces/eligibility.ts';

/** Every published model, one line each. Adding one is its file, its line here and its test. */
export const models = {
  neurons: [lif, alif, rate],
  readouts: [leaky],
  traces: [eligibility],
  signals: [broadcast, dendrite],
  direct: [],
  rules: [sgrd, sgrdLean, sgr, sgv, sgz, sgd, dni, eprop1, readoutOnly, factored],
} satisfies Omit<Catalogue, 'tasks'>;

export { alif, broadcast, eligibility, eprop1, factored, leaky, lif, rate, readoutOnly };
