// Japanese vowels (Kudo, Toyama and Shimbo 1999; UCI Machine Learning Repository, CC BY 4.0) as arrays that the task `recording` reads: nine speakers say
// /ae/, twelve coefficients of linear prediction a frame, 7 to 29 frames an utterance. Reads the .ts files that aeon and sktime carry.
//
//     npm run build && node scripts/japanese-vowels.mjs FOLDER
//
// FOLDER holds JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts; vowels-train.npz and vowels-test.npz are written into it: `x`
// [utterance][frame][coefficient], utterances at the end of 29 frames with zeros before them, so that all end together, and `labels`, speakers from 0.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeNpz } from '../dist/src/data/index.js';

const frames = 29;
const folder = process.argv[2];
if (!folder) throw new Error('which folder holds JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts?');

for (const part of ['train', 'test']) {
  const path = join(folder, `JapaneseVowels_${part.toUpperCase()}.ts`);
  const lines = readFileSync(path, 'utf8').split(/\r?\n/);
  const utterances = lines.slice(1 + lines.findIndex((line) => line.toLowerCase() === '@data')).filter((line) => line);
  const channels = utterances[0].split(':').length - 1;
  const x = new Float64Array(utterances.length * frames * channels);
  const labels = new Int32Array(utterances.length);
  utterances.forEach((line, n) => {
    const parts = line.split(':');
    labels[n] = Number(parts.pop()) - 1;
    parts.forEach((text, c) => {
      const values = text.split(',').map(Number);
      if (values.length > frames || values.some((value) => !Number.isFinite(value))) {
        throw new Error(
          `${path}: utterance ${n}, channel ${c}: got ${values.length} frames, expected 1 to ${frames} numbers`,
        );
      }
      values.forEach((value, t) => {
        x[(n * frames + frames - values.length + t) * channels + c] = value;
      });
    });
  });
  const out = join(folder, `vowels-${part}.npz`);
  writeFileSync(
    out,
    encodeNpz([
      { name: 'x', shape: [utterances.length, frames, channels], values: x },
      { name: 'labels', shape: [utterances.length], values: labels },
    ]),
  );
  console.log(`${out}: ${utterances.length} utterances, ${channels} coefficients, ${new Set(labels).size} speakers`);
}
