import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { createExperiment, preset, presetNames } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { createSession } from '../../web/engine/session.ts';

const catalogue = { ...models, tasks };
const watch = { cells: true, weights: null, synapse: null };
const open = (input: unknown) => createSession(input, catalogue, () => performance.now(), () => {});

describe('whatever is looked at', () => {
  it.each(presetNames.filter((n) => n !== 'digits'))('%s trains to the same bits', (name) => {
    const plain = createExperiment(preset(name), catalogue);
    const session = open(preset(name));
    const trials = plain.trainTrials({ listener() {} });
    for (let n = 0; n < 2; n++) {
      const coming = session.replay(watch, 0);
      trials.next();
      session.trial();
      const done = session.frame({ ...watch, weights: session.info.projections[0].name }, 0);
      expect(done.trial).toBe(coming?.trial);
      expect(done.neurons).toEqual(coming?.neurons);
      expect(done.outputs).toEqual(coming?.outputs);
      console.log(name, done.neurons.t.length, coming?.synapse?.traces.map((t) => t.label), coming?.synapse?.terms?.length, coming?.synapse?.signals.length, coming?.traces?.length, coming?.membranes?.length);
    }
    expect(session.experiment.checkpoint()).toEqual(plain.checkpoint());
  });
});
