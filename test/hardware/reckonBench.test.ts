import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReckon, cueAccumulation, parseReckon } from '../../hardware/index.ts';
import { syntheticCues } from '../../src/cli/bench/reckon.ts';
import { type ReckonDataSetFile, runEpoch } from '../../src/cli/verify/reckonDataSet.ts';
import { createRng } from '../../src/core/rng.ts';

const shared = process.env.SPIKETRACE_SHARED ?? join(import.meta.dirname, '..', '..', '..', 'shared');
const dataFile = join(shared, 'data', 'reckon-cue-accumulation.json');
const absent = !existsSync(dataFile);
const skipped = absent ? ' (skipped: the data file is not in ../shared/data; set SPIKETRACE_SHARED)' : '';

describe('synthetic cue accumulation', () => {
  const [chip, samples] = syntheticCues(createRng(1));

  it('has the size of the chip’s own', () => {
    expect(samples).toHaveLength(100);
    expect(samples.reduce((sum, { ticks }) => sum + ticks, 0)).toBe(225_000);
    const events = samples.reduce((sum, { eventInput }) => sum + eventInput.length, 0) / 100;
    expect(events).toBeGreaterThan(520);
    expect(events).toBeLessThan(610);
    expect(samples.filter(({ learning }) => learning !== 0)).toHaveLength(50);
  });

  it('makes the neurons fire and the weights move, the same each time', () => {
    const some = [...samples.slice(0, 4), ...samples.slice(50, 52)];
    runEpoch(chip, some);
    // A spike reaches a hundred neurons, as an event does.
    const spikes = chip.counters.synapticOperations / 100 - some.reduce((sum, s) => sum + s.eventInput.length, 0);
    expect(spikes / 6 / 100 / 2.25).toBeGreaterThan(0.5);
    expect(spikes / 6 / 100 / 2.25).toBeLessThan(50);
    expect(chip.counters.updatesFired).toBeGreaterThan(20);
    const weights = chip.weights();
    chip.reset();
    expect(chip.weights().rec).not.toEqual(weights.rec);
    runEpoch(chip, some);
    expect(chip.weights()).toEqual(weights);
  });
});

it(`the bundled configuration is whole`, () => {
  expect(parseReckon(cueAccumulation)).toMatchObject({ SPI_NUM_REC_NEUR: 99, SPI_DO_EPROP: 7 });
});

describe('the bundled configuration', () => {
  it.skipIf(absent)(`is that of the data set${skipped}`, () => {
    const { config, initial_weights: w } = JSON.parse(readFileSync(dataFile, 'utf8')) as ReckonDataSetFile;
    const chip = createReckon(config, { inp: w.w_inp, rec: w.w_rec, out: w.w_out });
    expect(parseReckon(cueAccumulation)).toEqual(chip.config);
  });
});
