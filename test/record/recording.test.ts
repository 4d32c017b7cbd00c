import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ConfigError, FileError } from '../../src/core/errors.ts';
import { decodeNpy } from '../../src/data/npy.ts';
import { readBytes } from '../../src/record/files.ts';
import { estimateRecordingBytes } from '../../src/record/recordedField.ts';
import { startRecording, toCsv } from '../../src/record/recording.ts';
import { scratchFolder, stepEvent, trialEvent } from './scratch.ts';

const FIELDS = [
  { name: 'z', width: 3, type: 'f4' },
  { name: 'population.rec.v', width: 2 },
] as const;

function open(folder: string, maxBytes = 1e9) {
  const onStop = vi.fn<(message: string) => void>();
  return { onStop, recording: startRecording(folder, { fields: FIELDS, dtMs: 5, maxBytes, onStop }) };
}

const step = (t: number) => stepEvent(1, t, { z: [t, 0, 1], 'population.rec.v': [t / 3, -t], other: [1] }, t % 2);

function npy(folder: string, field: string) {
  const path = join(folder, `${field}.npy`);
  return decodeNpy(readBytes(path), path);
}

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

describe('startRecording', () => {
  it('writes one array per field and an index', () => {
    const folder = join(scratchFolder(), 'recording');
    const { recording, onStop } = open(folder);
    recording.listener(trialEvent(1));
    for (let t = 0; t < 3; t++) recording.listener(step(t));
    recording.close();
    expect(readdirSync(folder).sort()).toEqual(['index.csv', 'population.rec.v.npy', 'z.npy']);
    expect(readFileSync(join(folder, 'index.csv'), 'utf8')).toBe(
      'trial,t,stream,time_ms\n1,0,0,0\n1,1,1,5\n1,2,0,10\n',
    );
    expect(npy(folder, 'z')).toEqual({ shape: [3, 3], data: Float32Array.of(0, 0, 1, 1, 0, 1, 2, 0, 1) });
    expect(npy(folder, 'population.rec.v')).toEqual({
      shape: [3, 2],
      data: Float64Array.of(0, -0, 1 / 3, -1, 2 / 3, -2),
    });
    expect(onStop).not.toHaveBeenCalled();
  });

  it('can be read after a flush, and counts its bytes exactly', () => {
    const folder = scratchFolder();
    const { recording } = open(folder);
    for (let t = 0; t < 200; t++) recording.listener(step(t));
    recording.flush();
    expect(npy(folder, 'z').shape).toEqual([200, 3]);
    expect([recording.rows, recording.bytes]).toEqual([200, bytesOf(folder)]);
    recording.close();
  });

  it('holds about a megabyte, then writes', () => {
    const folder = scratchFolder();
    const onStop = vi.fn<(message: string) => void>();
    const recording = startRecording(folder, { fields: [{ name: 'z', width: 1024 }], dtMs: 5, maxBytes: 1e9, onStop });
    const event = stepEvent(1, 0, { z: Array<number>(1024).fill(1) });
    for (let n = 0; n < 127; n++) recording.listener(event);
    expect(npy(folder, 'z').shape).toEqual([0, 1024]);
    recording.listener(event);
    expect(npy(folder, 'z').shape).toEqual([128, 1024]);
    recording.close();
  });

  it('stops at the limit, says so once, and keeps what it has', () => {
    const folder = scratchFolder();
    const { recording, onStop } = open(folder, 1000);
    for (let t = 0; t < 100; t++) recording.listener(step(t));
    const { rows, bytes, stopped } = recording;
    recording.flush();
    recording.close();
    expect([rows, stopped, npy(folder, 'z').shape]).toEqual([19, true, [19, 3]]);
    expect([bytes, bytes <= 1000, bytes + 38 > 1000]).toEqual([bytesOf(folder), true, true]);
    expect(onStop.mock.calls).toEqual([
      ['recording stopped after 19 steps, the run goes on: the limit of 1000 bytes is reached'],
    ]);
  });

  it('ignores what comes after it was closed', () => {
    const folder = scratchFolder();
    const { recording } = open(folder);
    recording.close();
    recording.listener(step(0));
    recording.close();
    expect([recording.rows, npy(folder, 'z').shape]).toEqual([0, [0, 3]]);
  });

  it('refuses a folder with a recording, and one that cannot be', () => {
    const folder = scratchFolder();
    open(folder).recording.close();
    const index = join(folder, 'index.csv');
    expect(() => open(folder)).toThrow(new FileError(index, 'this folder holds a recording already'));
    expect(() => open(index)).toThrow(new FileError(index, 'is a file, expected a folder'));
  });

  it.each([
    [[{ name: '../z', width: 1 }], 'fields.name: got "../z"'],
    [[{ name: '', width: 1 }], 'fields.name: got ""'],
    [[{ name: 'z', width: 0 }], 'fields.z.width: got 0'],
    [[...FIELDS, { name: 'z', width: 1 }], 'expected every name once'],
  ])('refuses the fields %j', (fields, problem) => {
    const folder = scratchFolder();
    const openIt = () => startRecording(folder, { fields, dtMs: 5, maxBytes: 1e6, onStop: () => {} });
    expect(openIt).toThrow(ConfigError);
    expect(openIt).toThrow(problem);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses an event without the field or of another width', () => {
    const { recording } = open(scratchFolder());
    const without = stepEvent(1, 0, { z: [1, 2, 3] });
    const wide = stepEvent(1, 0, { z: [1, 2, 3, 4], 'population.rec.v': [1, 2] });
    expect(() => recording.listener(without)).toThrow('values.population.rec.v: got undefined, expected 2 numbers');
    expect(() => recording.listener(wide)).toThrow('values.z: got 4, expected 3 numbers');
    recording.close();
  });
});

describe('estimateRecordingBytes', () => {
  it('is never too small, and close for large fields', () => {
    const folder = scratchFolder();
    const fields = [{ name: 'z', width: 100 }];
    const rows = 1000;
    const recording = startRecording(folder, {
      fields,
      dtMs: 5,
      maxBytes: estimateRecordingBytes({ fields, rows }),
      onStop() {},
    });
    const z = Array<number>(100).fill(1);
    for (let n = 0; n < rows; n++) recording.listener(stepEvent(123456, n + 1e6, { z }, 999));
    recording.close();
    expect(recording.rows).toBe(rows);
    expect(estimateRecordingBytes({ fields, rows }) / bytesOf(folder)).toBeLessThan(1.02);
  });
});

describe('toCsv', () => {
  it('joins the index with one field', () => {
    const folder = scratchFolder();
    const { recording } = open(folder);
    for (let t = 0; t < 2; t++) recording.listener(step(t));
    recording.close();
    const out = join(folder, 'v.csv');
    toCsv(folder, 'population.rec.v', out);
    const v =
      'trial,t,stream,time_ms,population.rec.v_0,population.rec.v_1\n1,0,0,0,0,0\n1,1,1,5,0.3333333333333333,-1\n';
    expect(readFileSync(out, 'utf8')).toBe(v);
  });

  it('exports an empty recording, and names a field that is missing', () => {
    const folder = scratchFolder();
    open(folder).recording.close();
    toCsv(folder, 'z', join(folder, 'z.csv'));
    expect(readFileSync(join(folder, 'z.csv'), 'utf8')).toBe('trial,t,stream,time_ms\n');
    const none = join(folder, 'none.npy');
    expect(() => toCsv(folder, 'none', join(folder, 'none.csv'))).toThrow(new FileError(none, 'does not exist'));
    expect(readdirSync(folder)).not.toContain('none.csv');
  });
});
