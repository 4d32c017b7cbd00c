import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { type GivenFile, givenFiles, openRecording } from '../../src/data/index.ts';
import { createExperiment, FileError, filesOf, loadTaskFiles, withFiles } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };
const examples = join(import.meta.dirname, '../../examples');
const give = (name: string, bytes: Uint8Array): GivenFile => ({
  name,
  bytes,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
const example = (name: string) => give(name, readFileSync(join(examples, name)));
const experiment = JSON.parse(readFileSync(join(examples, 'recording.json'), 'utf8'));
const at = (folder: string) => ({
  ...experiment,
  task: { ...experiment.task, file: `${folder}recording.csv`, labelFile: `${folder}recording-labels.csv` },
});
const both = givenFiles([example('recording.csv'), example('recording-labels.csv')]);

describe('files that were handed over', () => {
  it('train to the bits of the same files on the disk, whatever folder the experiment names', () => {
    const here = createExperiment(at(`${examples}/`), catalogue);
    here.train({ until: 48 });
    for (const folder of ['', '/home/of/another/', 'C:\\data\\']) {
      const there = createExperiment(at(folder), withFiles(catalogue, both));
      there.train({ until: 48 });
      expect(there.run.network.state.data).toEqual(here.run.network.state.data);
      expect(there.config.task).toMatchObject({ file: 'recording.csv', labelFile: 'recording-labels.csv' });
      expect(there.config.task.sha256).toEqual(here.config.task.sha256);
      expect(there.evaluate()).toEqual(here.evaluate());
    }
  });

  it('are named by an experiment before they are there, with the hashes that it asks for', () => {
    const sha256 = { file: 'a'.repeat(64) };
    const pinned = { ...experiment, task: { ...experiment.task, sha256 } };
    expect(filesOf(pinned, catalogue)).toEqual([
      { key: 'file', path: 'recording.csv', sha256: sha256.file },
      { key: 'labelFile', path: 'recording-labels.csv', sha256: null },
    ]);
    expect(() => createExperiment(pinned, withFiles(catalogue, both))).toThrow(
      /recording.csv: is not the file that the experiment names: SHA-256 [0-9a-f]{64}, expected a{64}/,
    );
    expect(filesOf({ task: { kind: 'n-back' } }, catalogue)).toEqual([]);
    expect(filesOf(null, catalogue)).toEqual([]);
  });

  it('are missed by name, with those that are there', () => {
    const one = withFiles(catalogue, givenFiles([example('recording.csv')]));
    expect(() => createExperiment(experiment, one)).toThrow(
      'recording-labels.csv: was not given; there are recording.csv',
    );
    expect(() => createExperiment(experiment, withFiles(catalogue, givenFiles([])))).toThrow('there are no files');
    expect(() => both.filesBelow('recording.csv')).toThrow(FileError);
  });

  it('that are HDF5 are refused, with what to convert them to', async () => {
    const golden = join(import.meta.dirname, '../golden/recordings');
    const name = 'shd-standin.h5';
    const given = withFiles(catalogue, givenFiles([give(name, readFileSync(join(golden, name)))]));
    const wanted = { ...experiment, task: { ...experiment.task, file: name, labelFile: null } };
    await expect(loadTaskFiles(wanted, given)).rejects.toThrow(
      `${name}: is HDF5 (.h5, .nwb, MATLAB 7.3), which is read from a disk only: save its spikes as .npz`,
    );
    expect(() => createExperiment(wanted, given)).toThrow('read from a disk only');
  });

  it('that are damaged name the line', () => {
    const text = new TextEncoder().encode('unit,time_ms\n3,1.5\nx,2\n');
    const open = () => openRecording('own.csv', {}, null, givenFiles([give('own.csv', text)]));
    expect(open).toThrow(/own\.csv: line 3/);
  });
});
