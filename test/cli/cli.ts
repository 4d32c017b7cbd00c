import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

/** The project, and the program that `npm run build` made of it. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
export const main = join(root, 'dist/src/cli/main.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Where the program ran. */
  readonly folder: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

const made: string[] = [];
const alive = new Set<ChildProcess>();

/** An empty folder that is removed after the tests of the file. */
export function emptyFolder(): string {
  if (made.length === 0)
    afterAll(() => {
      for (const child of alive) child.kill('SIGKILL');
      for (const folder of made) rmSync(folder, { recursive: true, force: true });
    });
  const folder = mkdtempSync(join(tmpdir(), 'spiketrace-cli-'));
  made.push(folder);
  return folder;
}

/** Starts any program without a terminal. */
export function start(command: string, args: readonly string[], folder: string): Running {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  alive.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      alive.delete(child);
      resolve({ code, signal, stdout, stderr, folder });
    });
  });
  return { ended, kill: (signal) => void child.kill(signal) };
}

/** Runs `spiketrace ...args` to its end. */
export function spiketrace(args: readonly string[], folder = emptyFolder()): Promise<Ended> {
  if (!existsSync(main)) throw new Error('dist/ is missing: run `npm run build` first');
  return start(process.execPath, [main, ...args], folder).ended;
}

/** The same, where it has to succeed. */
export async function succeed(args: readonly string[], folder?: string): Promise<Ended> {
  const ended = await spiketrace(args, folder);
  if (ended.code !== 0) throw new Error(`spiketrace ${args.join(' ')} ended with ${ended.code}:\n${ended.stderr}`);
  return ended;
}

/** `--set a=1 --set b=2` */
export function set(settings: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${JSON.stringify(value)}`]);
}

/** An online run with an update per step: 20 LIF neurons, 8 streams, 20 trials (chunks) of 20 steps, 3200 symbols. */
export const streaming = [
  'four-six-back',
  ...set({
    'network.neurons': 20,
    'training.total': 3200,
    'training.streams': 8,
    'training.chunkSteps': 20,
    'evaluation.total': 320,
    'evaluation.streams': 4,
  }),
];

/** A deferred run with an update every two trials: Adam, 12 LIF neurons, 8 trials of 60 steps. */
export const trials = [
  'pattern-generation',
  ...set({
    'task.steps': 60,
    'task.inputs': 10,
    'network.neurons': 12,
    optimizer: { kind: 'adam', rates: { in: 0.01, rec: 0.01, out: 0.01 } },
    'training.update.every': 2,
    'training.total': 8,
    'training.checkpointEvery': 1,
  }),
];

/** The streaming run with leaky tanh neurons. */
export const rates = [
  ...streaming,
  ...set({
    'network.neuron': { kind: 'rate', leak: { decay: 0.5 } },
    'rateTerm.strength': 0,
    'optimizer.rates': { in: 0.01, rec: 0.01, out: 0.01 },
  }),
];

/** Files of a run folder that must not depend on how often it was interrupted. */
export const runFiles = ['config.json', 'checkpoint.bin', 'metrics.csv', 'metrics.jsonl'] as const;
export const weightFiles = ['in', 'rec', 'out', 'out.bias'].map((name) => `weights/${name}.npy`);

/** Names of those files whose bytes are not the same in both folders. */
export function differing(a: string, b: string, names: readonly string[] = [...runFiles, ...weightFiles]): string[] {
  return names.filter((name) => !readFileSync(join(a, name)).equals(readFileSync(join(b, name))));
}

/** Every file below a folder with its bytes, as text that can be compared. */
export function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${relative(folder, path)} ${entry.isFile() ? readFileSync(path).toString('base64') : ''}`;
    })
    .sort();
}

/** The lines of standard output as JSON. */
export function jsonLines<T>(stdout: string): T[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
