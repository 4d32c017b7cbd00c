import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { decodeNpy } from '../../src/data/npy.ts';
import { readBytes } from '../../src/record/files.ts';
import { startRecording } from '../../src/record/recording.ts';
import { scratchFolder, stepEvent } from './scratch.ts';

const disk = vi.hoisted(() => ({ full: false }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const writeSync = (file: number, bytes: Uint8Array, offset: number, length: number, position: number) => {
    if (disk.full) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    return fs.writeSync(file, bytes, offset, length, position);
  };
  return { ...fs, writeSync };
});

it('a full disk stops the recording and not the run', () => {
  const folder = scratchFolder();
  const onStop = vi.fn<(message: string) => void>();
  const fields = [{ name: 'z', width: 2 }];
  const recording = startRecording(folder, { fields, dtMs: 5, maxBytes: 1e9, onStop });
  recording.listener(stepEvent(1, 0, { z: [1, 2] }));
  recording.flush();
  disk.full = true;
  recording.listener(stepEvent(1, 1, { z: [3, 4] }));
  recording.flush();
  recording.listener(stepEvent(1, 2, { z: [5, 6] }));
  recording.close();
  const path = join(folder, 'z.npy');
  const message = `recording stopped after 2 steps, the run goes on: ${path}: the disk is full`;
  expect(onStop.mock.calls).toEqual([[message]]);
  expect(decodeNpy(readBytes(path), path)).toEqual({ shape: [1, 2], data: Float64Array.of(1, 2) });
});
