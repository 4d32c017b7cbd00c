import { describe, expect, it } from 'vitest';
import { blocks, liveGradient, liveNeurons } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** Two exact rules, one back in time and one forwards, on recurrent spikes that are under way for several steps. */
describe.each(liveNeurons)('recurrent delays of $label', (neuron) => {
  const gradient = (name: string, delayMs: number) =>
    blocks(
      liveGradient({
        neuron,
        network: { recurrent: { init: { kind: 'normal', gain: 0.8 }, delayMs } },
        rule: { name },
        task: { steps: 30 },
      }),
    );

  it('credit goes back by each of them: bptt is rtrl', () => {
    const three = gradient('bptt', 3);
    expect(gradient('rtrl', 3)).toBeClose(three, tolerances.identity);
    expect(gradient('bptt', 2)).not.toBeClose(three, { relative: 1e-3 });
    expect(gradient('e-prop-1', 3)).not.toBeClose(three, { relative: 1e-3 });
  });
});
