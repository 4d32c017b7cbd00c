// Damaged recordings: bytes of a good file are flipped, cut, doubled, zeroed, and every trial is read.
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Formats, and the good file that mutants are made of. */
export const samples = {
  npy: 'raster-float32-fortran.npy',
  'npz stored': 'events-stored.npz',
  'npz deflated': 'events-compressed.npz',
  CSV: 'events.csv',
  TSV: 'kilosort.tsv',
  NEST: 'nest3.dat',
  'N-MNIST': 'nmnist.bin',
  SHD: 'shd-standin.h5',
  NWB: 'units.nwb',
  MATLAB: 'matlab73.mat',
  'tonic events': 'tonic-cached-events.hdf5',
  'tonic frames': 'tonic-cached-frames.hdf5',
};

/** Whole numbers from a seed (mulberry32). */
function random(seed) {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A damaged copy of some bytes; most of the damage near the beginning or the end, where headers are. */
export function mutant(bytes, seed) {
  const draw = random(seed);
  const near = () => {
    const span = draw(2) === 0 ? bytes.length : Math.min(bytes.length, 256);
    return draw(4) === 0 ? bytes.length - 1 - draw(span) : draw(span);
  };
  const copy = Uint8Array.from(bytes);
  switch (draw(6)) {
    case 0:
      copy[near()] ^= 1 << draw(8);
      return copy;
    case 1:
      for (let k = 0; k < 4; k++) copy[near()] = draw(256);
      return copy;
    case 2:
      return copy.slice(0, near());
    case 3: {
      const at = near();
      copy.fill(draw(2) * 255, at, at + 8);
      return copy;
    }
    case 4: {
      const at = near();
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + 1 + draw(8))]);
    }
    default: {
      const at = near();
      return Uint8Array.from([...copy.subarray(0, at), draw(256), ...copy.subarray(at)]);
    }
  }
}

/** All that a recording holds, as text. */
function contentOf(recording) {
  const { content, trials, timeUnit } = recording;
  const all = [];
  for (let trial = 0; trial < Math.min(trials, 100); trial++) {
    if (content.kind === 'values') all.push([...content.values(trial)]);
    else {
      const { times, units } = content.events(trial);
      all.push([...times], [...units]);
    }
  }
  const labels = recording.labels();
  return { text: JSON.stringify([trials, timeUnit, labels && [...labels], all]), numbers: all.flat() };
}

/**
 * Reads `count` mutants of a sample. @returns how many were refused by name, read as before, read as other numbers (which nothing in the file
 * can tell), what ended otherwise, and whether HDF5 was brought down
 */
export function attempt({ openRecording, FileError, UnsupportedError }, source, folder, count, firstSeed = 1) {
  const good = readFileSync(source);
  const path = join(folder, basename(source));
  copyFileSync(source, path);
  const before = contentOf(openRecording(path)).text;
  const made = [];
  const found = { refused: 0, same: 0, other: 0, unnamed: [], crashed: false };
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    // Each a file of its own: HDF5 may take a file that it has open for another of the same place on the disk.
    const damaged = join(folder, `${seed}-${basename(source)}`);
    writeFileSync(damaged, mutant(good, seed));
    try {
      const { text, numbers } = contentOf(openRecording(damaged));
      if (numbers.some((value) => !Number.isFinite(value)))
        found.unnamed.push({ seed, message: 'a value that is not finite' });
      else if (text === before) found.same++;
      else found.other++;
    } catch (error) {
      // HDF5 is down for the rest of this thread.
      if (/crashed HDF5/.test(error?.message)) found.crashed = true;
      const named = error instanceof FileError || error instanceof UnsupportedError;
      if (named && error.message.includes(basename(source))) found.refused++;
      else found.unnamed.push({ seed, message: `${error?.name}: ${String(error?.message).slice(0, 200)}` });
    }
    made.push(damaged);
  }
  for (const damaged of made) rmSync(damaged);
  return found;
}
