import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { type Catalogue, createExperiment, type GivenFile, givenFiles, withFiles } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { findFiles } from '../../web/engine/files.ts';
import { offerOf } from '../../web/engine/offer.ts';

const catalogue: Catalogue = { ...models, tasks };
const give = (name: string, text: string): GivenFile => ({
  name,
  bytes: new TextEncoder().encode(text),
  sha256: name.length.toString(16).padStart(64, '0'),
});
const table = (head: string, rows: readonly (readonly number[])[]) =>
  [head, ...rows.map((row) => row.join(','))].join('\n');
/** Unit j of four fires at 5 j + 2 ms, in every trial. */
const rhythm = (trials: number, scale = 1) =>
  Array.from({ length: 4 * trials }, (_, n) => [Math.floor(n / 4), n % 4, (5 * (n % 4) + 2) * scale]);

describe('what is offered for a recording that came alone', () => {
  it('learns what comes next', () => {
    const store = givenFiles([give('own.csv', table('trial,unit,time_ms', rhythm(8)))]);
    const { experiment, about, timeUnit } = offerOf('own.csv', store, null);
    expect(timeUnit).toBeNull();
    expect(about).toContain('8 trials of 4 units, 32 spikes in 18 ms');
    const run = createExperiment(experiment, withFiles(catalogue, store));
    expect(run.task).toMatchObject({ nIn: 4, nOut: 4, mode: { steps: 18 } });
    const before = run.evaluate().lossPerStep;
    run.train();
    // A rate that never changes: one unit in 18 steps, of four.
    const p = 1 / 17;
    const blind = -4 * (p * Math.log(p) + (1 - p) * Math.log(1 - p));
    expect(before).toBeGreaterThan(blind);
    expect(run.evaluate().lossPerStep).toBeLessThan(blind);
  });

  it('takes times as ms where the file does not say, says so, and takes another unit', () => {
    const store = givenFiles([
      give(
        'own.csv',
        table(
          'unit,time',
          rhythm(1, 0.001).map(([, unit, time]) => [unit, time]),
        ),
      ),
    ]);
    expect(offerOf('own.csv', store, null)).toMatchObject({ timeUnit: 'ms' });
    expect(offerOf('own.csv', store, 's').about).toContain('4 spikes in 18 ms');
  });

  it('cuts long trials, names units that are far apart, and holds out no trial of few', () => {
    const store = givenFiles([
      give(
        'own.csv',
        table('unit,time_s', [
          [1000, 0.5],
          [5000, 7],
        ]),
      ),
    ]);
    const { experiment, about } = offerOf('own.csv', store, null);
    expect(about).toContain('of every trial the first 2000 of 7001 ms');
    expect(experiment).toMatchObject({
      task: { unitIds: 'sorted', units: 2, durationMs: 2000, longer: 'cut', split: { kind: 'none' } },
      training: { streams: 1 },
    });
    expect(createExperiment(experiment, withFiles(catalogue, store)).task.nIn).toBe(2);
  });
});

describe('the files of a run on a page', () => {
  const experiment = { task: { kind: 'recording', file: 'a/own.csv', labelFile: 'b/labels.csv' } };
  const [own, labels] = [give('own.csv', ''), give('labels.csv', '')];

  it('are asked for by name, and by the hash of the experiment or the address', () => {
    const none = findFiles(experiment, catalogue, { given: [], asked: [{ name: 'own.csv', sha256: own.sha256 }] });
    expect(none.missing).toEqual([
      { name: 'own.csv', sha256: own.sha256, got: null },
      { name: 'labels.csv', sha256: null, got: null },
    ]);
    const other = { ...own, sha256: 'f'.repeat(64) };
    const asked = [{ name: 'own.csv', sha256: own.sha256 }];
    expect(findFiles(experiment, catalogue, { given: [other, labels], asked }).missing).toEqual([
      { name: 'own.csv', sha256: own.sha256, got: other.sha256 },
    ]);
    expect(findFiles(experiment, catalogue, { given: [own, labels], asked })).toMatchObject({
      missing: [],
      files: [own, labels].map(({ name, sha256 }) => ({ name, sha256 })),
    });
  });

  it('are refused where two of one name lie in different folders', () => {
    const two = { task: { ...experiment.task, labelFile: 'b/own.csv' } };
    expect(() => findFiles(two, catalogue, { given: [], asked: [] })).toThrow(
      'task.labelFile: got "b/own.csv", expected another name than that of a/own.csv',
    );
  });
});
