// What campaigns share: the built program as a process, options of a command line, a log.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** Starts `command` without a terminal. @returns its end, and how to end it before */
export function begin(command, args, folder) {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (more) => {
      text[name] += more;
    });
  }
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...text }));
  });
  return { ended, pid: child.pid, kill: (signal) => child.kill(signal) };
}

export const spiketrace = (args, folder) => begin(process.execPath, [main, ...args], folder);

/** @throws where it does not end with 0 */
export async function succeed(args, folder) {
  const { code, stdout, stderr } = await spiketrace(args, folder).ended;
  if (code !== 0) throw new Error(`spiketrace ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

/** `--set a=1 --set b=2` */
export const set = (settings) =>
  Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${JSON.stringify(value)}`]);

/** Of the command line: `--name value`. */
export function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
}

/** Says lines, and keeps them in the file of `--out`, beginning with the command. */
export function openLog(name) {
  const lines = [`$ node scripts/campaigns/${name}.mjs ${process.argv.slice(2).join(' ')}`.replace(/ --out \S+/, '')];
  const out = option('out', null);
  return (line) => {
    lines.push(line);
    console.log(line);
    if (out) writeFileSync(out, `${lines.join('\n')}\n`);
  };
}

/** A folder for `work`, removed after it. */
export async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'spiketrace-campaign-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed) {
  let state = (Math.imul(seed, 0x9e3779b1) + 0x85ebca6b) >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(uniform() * n);
  return { uniform, below, pick: (list) => list[below(list.length)] };
}
