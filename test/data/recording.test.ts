import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import h5wasm from 'h5wasm/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileError, UnsupportedError } from '../../src/core/errors.ts';
import { loadHdf5 } from '../../src/data/hdf5Load.ts';
import { type Names, openRecording } from '../../src/data/index.ts';
import { encodeNpy, encodeNpyHeader } from '../../src/data/npy.ts';
import { scratchFolder } from '../record/scratch.ts';

type Options = NonNullable<Parameters<typeof openRecording>[1]>;
const golden = join(import.meta.dirname, '../golden/recordings');

/** A file of this content, opened. */
function opened(name: string, content: string | Uint8Array, options: Options = {}) {
  const path = join(scratchFolder(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return openRecording(path, options);
}

function eventsOf(recording: ReturnType<typeof opened>, trial = 0) {
  if (recording.content.kind !== 'events') throw new Error('holds values');
  const { times, units } = recording.content.events(trial);
  return Array.from(times, (time, e) => [units[e], time]);
}

const f8 = (...values: number[]) => encodeNpy(Float64Array.from(values), [values.length]);
const i4 = (...values: number[]) => encodeNpy(Int32Array.from(values), [values.length]);

beforeAll(async () => {
  await loadHdf5();
});

describe('text', () => {
  it.each([
    [
      'NEST 2',
      '3\t1.5\n1\t2.0\n',
      [
        [3, 1.5],
        [1, 2],
      ],
      null,
    ],
    [
      'NEST 3',
      '# NEST version: 3.8.0\n# RecordingBackendASCII version: 2\nsender\ttime_ms\n3\t1.5\n',
      [[3, 1.5]],
      'ms',
    ],
    [
      'Brian2, np.savetxt with a header',
      '# i t\n3 0.0015\n1 0.002\n',
      [
        [3, 0.0015],
        [1, 0.002],
      ],
      null,
    ],
    [
      'BMTK',
      'timestamps population node_ids\n1.5 v1 3\n2 v1 1\n',
      [
        [3, 1.5],
        [1, 2],
      ],
      'ms',
    ],
    ['Kilosort', 'unit\ttime\n3\t0.5\n', [[3, 0.5]], null],
    [
      'quoted names, semicolons, CRLF, a byte order mark, no new line at the end',
      '\ufeff"Time_s";"Unit"\r\n1e-3;3\r\n2e-3;1',
      [
        [3, 1e-3],
        [1, 2e-3],
      ],
      null,
    ],
    [
      'comments and empty lines between',
      'unit,time_us\n3,1\n\n# pause\n1,2\n',
      [
        [3, 1],
        [1, 2],
      ],
      'us',
    ],
  ])('of %s', (_, text, events, unit) => {
    const recording = opened('a.csv', text, text.includes('Time_s') ? { names: { times: 'Time_s' } } : {});
    expect(eventsOf(recording)).toEqual(events);
    expect(recording.timeUnit).toBe(text.includes('Time_s') ? 's' : unit);
  });

  it('finds the trials of lines in any order', () => {
    const recording = opened('a.csv', 'trial,unit,time\n2,1,0.1\n0,2,0.2\n2,3,0.3\n0,4,0.4\n');
    expect(recording.trials).toBe(3);
    expect([0, 1, 2].map((trial) => eventsOf(recording, trial))).toEqual([
      [
        [2, 0.2],
        [4, 0.4],
      ],
      [],
      [
        [1, 0.1],
        [3, 0.3],
      ],
    ]);
  });

  it('reads trials across the blocks of a file', () => {
    const lines = Array.from({ length: 60_000 }, (_, n) => `${Math.floor(n / 20_000)},${n % 7},${n / 1000}`);
    const recording = opened('a.csv', `trial,unit,time\n${lines.join('\n')}\n`);
    expect(eventsOf(recording, 2)).toHaveLength(20_000);
    expect(eventsOf(recording, 2)[0]).toEqual([40_000 % 7, 40]);
    expect(recording.content.kind === 'events' && recording.content.summary().longest).toBe(59.999);
  });

  it.each([
    ['a number that is none', 'unit,time\n1,2\n1,x\n', 'line 3, column time: got "x", expected a number'],
    ['another number of columns', 'unit,time\n1,2\n1\n', 'line 3: got 1 columns, expected 2'],
    ['part of a unit', 'unit,time\n1.5,2\n', 'line 2: got unit 1.5, expected a whole number >= 0'],
    ['a trial before 0', 'trial,unit,time\n-1,1,2\n', 'line 2: got trial -1'],
    ['no numbers', 'unit,time\n', 'holds no line of numbers'],
    ['no names for three columns', '1,2,3\n', 'names no times; there are 0, 1, 2: say which with names.times'],
    ['steps and offsets of NEST', 'sender\ttime_step\ttime_offset\n1\t2\t0.1\n', 'names no times'],
    ['bytes', new Uint8Array([1, 0, 2, 10, 3]), 'is no text of numbers'],
  ])('refuses %s', (_, content, problem) => {
    expect(() => opened('a.csv', content)).toThrow(FileError);
    expect(() => opened('a.csv', content)).toThrow(problem);
  });
});

describe('npz', () => {
  it("of events, by names of its own or the user's", () => {
    const bytes = zipSync({ 'when.npy': f8(0.5, 0.25), 'i.npy': i4(4, 5), 'trial.npy': i4(1, 0) }, { level: 0 });
    const recording = opened('a.npz', bytes, { names: { times: 'when' } });
    expect([0, 1].map((trial) => eventsOf(recording, trial))).toEqual([[[5, 0.25]], [[4, 0.5]]]);
    expect(() => opened('a.npz', bytes)).toThrow(/names no values; there are when, i, trial/);
  });

  it.each([
    ['arrays of different lengths', { 'times.npy': f8(1, 2), 'units.npy': i4(1) }, 'has the shape [1], expected [2]'],
    [
      'labels of fewer trials',
      { 'times.npy': f8(1), 'units.npy': i4(1), 'trial.npy': i4(3), 'labels.npy': i4(0, 1) },
      'holds 2 labels for 4 trials',
    ],
    ['a part of PyTorch', { 'archive/data.pkl': strToU8('x') }, 'names no values; there are none'],
  ])('refuses %s', (_, files, problem) => {
    expect(() => opened('a.npz', zipSync(files as Record<string, Uint8Array>))).toThrow(problem);
  });

  it('finds damage by the checksum', () => {
    const bytes = zipSync({ 'times.npy': f8(0.5), 'units.npy': i4(4) }, { level: 0 });
    bytes[160] ^= 1;
    expect(() => opened('a.npz', bytes)).toThrow(/times\.npy: damaged: its bytes do not have the stated checksum/);
  });
});

it('reads a trial of an array that is larger than memory', () => {
  const path = join(scratchFolder(), 'large.npy');
  const shape = [100_000, 1000, 1000];
  const header = encodeNpyHeader('u1', shape);
  const file = openSync(path, 'w');
  writeSync(file, header);
  ftruncateSync(file, header.length + 1e11);
  writeSync(file, Uint8Array.of(7), 0, 1, header.length + 99_999 * 1e6 + 5);
  closeSync(file);
  const { content, trials } = openRecording(path);
  expect(trials).toBe(100_000);
  expect(content.kind === 'values' && content.values(99_999).indexOf(7)).toBe(5);
});

describe('HDF5', () => {
  /** A file that h5wasm writes. */
  function written(fill: (file: InstanceType<typeof h5wasm.File>) => void, options: Options = {}) {
    const path = join(scratchFolder(), `a-${Math.random()}.h5`);
    const file = new h5wasm.File(path, 'w');
    fill(file);
    file.close();
    return openRecording(path, options);
  }

  it('of SONATA, by population', () => {
    const fill = (names: readonly string[]) => (file: InstanceType<typeof h5wasm.File>) => {
      file.create_group('spikes');
      for (const name of names) {
        file.create_group(`spikes/${name}`);
        file.create_dataset({ name: `spikes/${name}/timestamps`, data: new Float64Array([1.5, 2]) });
        file.create_dataset({ name: `spikes/${name}/node_ids`, data: new Int32Array([3, 1]) });
      }
    };
    expect(eventsOf(written(fill(['v1'])))).toEqual([
      [3, 1.5],
      [1, 2],
    ]);
    expect(() => written(fill(['v1', 'lgn']))).toThrow('holds the populations lgn, v1: say which with names.units');
    expect(written(fill(['v1', 'lgn']), { names: { units: 'lgn' } }).timeUnit).toBe('ms');
  });

  it('of arrays at the top, or where the user says', () => {
    const fill = (file: InstanceType<typeof h5wasm.File>) => {
      file.create_group('session');
      file.create_dataset({ name: 'session/rates', data: new Float32Array(24), shape: [2, 3, 4] });
      file.create_dataset({ name: 'times', data: new Float64Array([1, 2]) });
      file.create_dataset({ name: 'units', data: new Uint8Array([3, 1]) });
      file.create_dataset({ name: 'trial', data: new Uint8Array([0, 1]) });
      file.create_dataset({ name: 'labels', data: new Uint8Array([5, 6]) });
    };
    const recording = written(fill);
    expect(eventsOf(recording, 1)).toEqual([[1, 2]]);
    expect(Array.from(recording.labels() ?? [])).toEqual([5, 6]);
    const values = written(fill, { names: { values: 'session/rates' } }).content;
    expect(values).toMatchObject({ kind: 'values', width: 4, shape: [2, 3, 4] });
    expect(() => written(fill, { names: { values: 'session/none' } })).toThrow('holds no data set "session/none"');
  });

  it('of MATLAB: values and cells, a trial a row', () => {
    const open = (names: Partial<Names>) => openRecording(join(golden, 'matlab73.mat'), { names });
    expect(open({}).content).toMatchObject({ kind: 'values', width: 4, shape: [30, 4] });
    expect(eventsOf(open({ times: 'spikes' }))[0]).toEqual([2, 0.00786429955151835]);
    expect(() => open({ times: 'raster' })).toThrow('raster: expected references to data sets');
  });

  it('refuses a file that has changed since it was read', () => {
    const path = join(scratchFolder(), 'twice.h5');
    const write = (time: number) => {
      const file = new h5wasm.File(path, 'w');
      file.create_dataset({ name: 'times', data: new Float64Array([time]) });
      file.create_dataset({ name: 'units', data: new Uint8Array([3]) });
      file.close();
    };
    write(1);
    expect(eventsOf(openRecording(path))).toEqual([[3, 1]]);
    writeFileSync(path, 'other');
    expect(() => openRecording(path, { names: { times: 'x' } })).toThrow(FileError);
  });

  it('says what to install where the package is not there', async () => {
    const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    const { loadHdf5: load, loadedHdf5 } = await import('../../src/data/hdf5Load.ts?fresh' as string);
    expect(loadedHdf5).toThrow(/HDF5 is not loaded: await loadTaskFiles/);
    const without = load(() => Promise.reject(missing));
    await expect(without).rejects.toThrow(
      /need the package h5wasm, which is not installed: npm install h5wasm@0\.10\.3/,
    );
    await expect(without).rejects.toMatchObject({ name: new UnsupportedError('').name });
  });
});

describe('folders', () => {
  it('are trials in the order of their numbers, labels the names of folders', () => {
    const folder = scratchFolder();
    for (const [name, label] of [
      ['10.csv', '3'],
      ['9.csv', '4'],
    ] as const) {
      mkdirSync(join(folder, label), { recursive: true });
      writeFileSync(join(folder, label, name), `unit,time_ms\n${label},1\n`);
    }
    const recording = openRecording(folder);
    expect(Array.from(recording.labels() ?? [])).toEqual([3, 4]);
    expect([0, 1].map((trial) => eventsOf(recording, trial))).toEqual([[[3, 1]], [[4, 1]]]);
    expect(recording.timeUnit).toBe('ms');
  });

  it('without files are refused', () => {
    expect(() => openRecording(scratchFolder())).toThrow('holds no files');
  });
});

describe('N-MNIST', () => {
  const event = (x: number, y: number, p: number, t: number) => [x, y, (p << 7) | (t >> 16), (t >> 8) & 255, t & 255];

  it('has pixels and polarities as units, and a clock that goes round', () => {
    const bytes = Uint8Array.from([...event(1, 2, 1, 70_000), ...event(0, 240, 0, 0), ...event(3, 0, 0, 5)]);
    expect(eventsOf(opened('a.bin', bytes))).toEqual([
      [34 * 34 + 2 * 34 + 1, 70_000],
      [3, 8192 + 5],
    ]);
  });

  it.each([
    ['part of an event', Uint8Array.of(1, 2, 3, 4, 5, 6), 'has 6 bytes, expected a multiple of 5'],
    ['a pixel outside', Uint8Array.from(event(34, 0, 0, 0)), 'event 0: got pixel (34, 0), expected one of 34 x 34'],
  ])('refuses %s', (_, bytes, problem) => {
    expect(() => eventsOf(opened('a.bin', bytes))).toThrow(problem);
  });
});

it.each([
  [
    'a MATLAB 5 file',
    'a.mat',
    strToU8('MATLAB 5.0 MAT-file, Platform'),
    'not HDF5, which is not read: save it again with save(..., "-v7.3")',
  ],
  ['a pickle', 'a.pkl', Uint8Array.of(0x80, 4, 0x95, 0), 'is a Python pickle, which is never loaded'],
  ['something under the name of an array', 'a.npy', strToU8('hello'), 'does not begin as its name says'],
])('refuses %s by name', (_, name, bytes, problem) => {
  expect(() => opened(name, bytes)).toThrow(FileError);
  expect(() => opened(name, bytes)).toThrow(problem);
});
