import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { payloadOf, scratchFolder } from './scratch.ts';

const COMPILED = new URL('../../dist/src/record/checkpointFile.js', import.meta.url);
const KILLS = 20;
const LATEST_MS = 60;

/** Writes checkpoints n = first, first + 1, ... without end, of changing lengths, filled with n. Plain JavaScript: Node 20. */
const CHILD = `
  const { writeCheckpoint } = await import(process.argv[1]);
  const first = Number(process.argv[3]);
  for (let n = first; ; n++) {
    writeCheckpoint(process.argv[2], [new Uint8Array(new Float64Array(1000 + (n * 7919) % 40000).fill(n).buffer)]);
    if (n === first) process.stdout.write('writing');
  }`;

/** Instants of the kills in ms after the first checkpoint of a child: a linear congruential sequence, the same always. */
function instants(): number[] {
  let state = 12345;
  return Array.from({ length: KILLS }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return (LATEST_MS * state) / 2 ** 31;
  });
}

async function writing(child: ChildProcess): Promise<void> {
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
}

async function runAndKill(path: string, first: number, delayMs: number): Promise<void> {
  const args = ['--input-type=module', '-e', CHILD, COMPILED.href, path, String(first)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  await writing(child);
  await sleep(delayMs);
  child.kill('SIGKILL');
  const [, signal] = await exit;
  expect(signal, 'the child was still writing').toBe('SIGKILL');
}

it('a process killed at any instant leaves a checkpoint that loads', async ({ skip }) => {
  skip(!existsSync(COMPILED), 'needs the compiled files: npm run build');
  const path = join(scratchFolder(), 'checkpoint');
  for (const [kill, delayMs] of instants().entries()) {
    const first = 1000 * kill + 1;
    await runAndKill(path, first, delayMs);
    const numbers = new Float64Array(payloadOf(path).buffer);
    expect(numbers[0], 'written by this child').toBeGreaterThanOrEqual(first);
    expect(numbers.every((n) => n === numbers[0])).toBe(true);
  }
});
