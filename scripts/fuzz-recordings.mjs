// Reads damaged recordings of every format and says how each ended: node scripts/fuzz-recordings.mjs [mutants of each = 200]
// The table of docs/results/recordings.md is what it prints.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileError, loadHdf5, openRecording, UnsupportedError } from '../dist/src/index.js';
import { attempt, samples } from './recordingMutants.mjs';

const count = Number(process.argv[2] ?? 200);
const folder = mkdtempSync(join(tmpdir(), 'recordings-'));
await loadHdf5();
let failed = false;
console.log('| format | mutants | refused by name | read as before | read as other numbers | unnamed |');
console.log('|---|---|---|---|---|---|');
for (const [format, name] of Object.entries(samples)) {
  const source = join(import.meta.dirname, '../test/golden/recordings', name);
  const { refused, same, other, unnamed } = attempt(
    { openRecording, FileError, UnsupportedError },
    source,
    folder,
    count,
  );
  console.log(`| ${format} | ${count} | ${refused} | ${same} | ${other} | ${unnamed.length} |`);
  for (const { seed, message } of unnamed) console.error(`${format}, seed ${seed}: ${message}`);
  failed ||= unnamed.length > 0;
}
rmSync(folder, { recursive: true });
process.exitCode = failed ? 1 : 0;
