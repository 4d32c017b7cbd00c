import { describe, expect, it } from 'vitest';
import { broadcast } from '../../models/signals/broadcast.ts';
import { parseWith } from '../../src/config/parse.ts';
import { cut, type Sizes } from '../../src/core/layout.ts';
import type { RuleContext } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { doTrial, liveExperiment } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

const sizes: Sizes = { stream: 1, step: 1, history: 1, in: 1, rec: 400, out: 5, synIn: 1, synRec: 1 };

function derive(settings: object) {
  const params = parseWith(broadcast.params, { kind: 'broadcast', ...settings });
  return broadcast.derive(params, { sizes } as unknown as RuleContext);
}

describe('broadcast', () => {
  it.each(['random', 'adaptive'])('%s: draws B with deviation scale / sqrt(nRec)', (feedback) => {
    const signal = derive({ feedback, scale: 3 });
    const views = cut({ signal: signal.layout }, sizes).views('signal');
    signal.init(views, sizes, createRng(1), {} as never);
    const { B } = views;
    const deviation = Math.sqrt(Array.from(B).reduce((sum, b) => sum + b * b, 0) / B.length);
    expect(Math.abs((deviation * 20) / 3 - 1)).toBeLessThan(4 / Math.sqrt(2 * B.length));
    expect(signal.readoutDecay).toBe(feedback === 'adaptive' ? 1e-3 : 0);
  });

  it('symmetric has no matrix of its own', () => {
    expect(derive({ feedback: 'symmetric' }).layout).toEqual({});
  });

  it.each(['symmetric', 'random'])('%s: L_j = sum_k B_jk error_k at every step of every stream', (feedback) => {
    const { network } = doTrial(liveExperiment({ rule: { name: 'e-prop-1', feedback } }));
    const B = feedback === 'symmetric' ? network.weights.wOut : network.state.field('signal.B');
    const { error, signal } = network.trial;
    const wanted = Array.from({ length: 2 * 50 * 7 }, (_, s) => {
      const [row, j] = [Math.floor(s / 7), s % 7];
      return [0, 1, 2].reduce((sum, k) => sum + B[3 * j + k] * error[3 * row + k], 0);
    });
    expect(signal).toBeClose(wanted, tolerances.formula);
    expect(wanted.some((value) => value !== 0)).toBe(true);
  });
});
