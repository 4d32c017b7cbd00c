import { drawFeedback, type Rule, rowAt, type SignalInstance, type SignalModel } from 'spiketrace';
import { z } from 'zod';

/** What an experiment may set of the signal: nothing but its name. Numbers here have a range and a unit, in `.describe()`. */
const signalParams = z.strictObject({ kind: z.literal('sign-broadcast') });

/** L_j(t) = sum_k B_jk sign(error_k(t)): one bit an output. */
const signBroadcast: SignalModel<z.infer<typeof signalParams>> = {
  kind: 'sign-broadcast',
  source: 'own',
  params: signalParams,
  derive: (_, { sizes }) =>
    ({
      // All that it keeps; checkpoints, threads and number formats know of nothing else.
      layout: { B: { shape: ['self', 'out'], home: 'post', unit: '1', doc: 'feedback weights' } },
      // What it reads, and when: `deploy` judges from this whether a chip has it where it is needed.
      footprint: { reads: ['error'], phases: ['soma'] },
      refersTo: 'error',
      readoutDecay: 0,
      followsReadout: null,
      losses: [],
      linear: true,
      stepsPerPhase: 1,
      window: null,
      // The same in the fast backend; null: it runs on `reference` and `fixed`.
      kernel: null,
      init: (state, rng) => drawFeedback(state.B, 1, sizes.self, rng),
      bind: ({ sizes: { stream, self: n, out: nOut }, state: { B }, signal, error }) => ({
        step(t) {
          for (let b = 0; b < stream; b++) {
            const to = rowAt(signal, b, t);
            const from = rowAt(error, b, t);
            for (let j = 0; j < n; j++) {
              let sum = 0;
              for (let k = 0; k < nOut; k++) sum += B[j * nOut + k] * Math.sign(error.data[from + k]);
              signal.data[to + j] = sum;
            }
          }
        },
      }),
    }) satisfies SignalInstance,
};

const params = z.strictObject({ name: z.literal('sign-e-prop') });

/** dW_ij = - eta sum_t eBar_ij(t) L_j(t): e-prop 1 that hears the sign of every error only. */
const signEprop: Rule<z.infer<typeof params>> = {
  name: 'sign-e-prop',
  source: 'own',
  summary: 'eligibility trace times the sign of the error',
  params,
  parts: () => ({ trace: { kind: 'eligibility' }, signal: { kind: 'sign-broadcast' } }),
};

/** What `--plugin` adds to the lists. */
export default { signals: [signBroadcast], rules: [signEprop] };
