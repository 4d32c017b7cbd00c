import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UnsupportedError } from '../../core/errors.ts';
import { ensureWritableFolder, writeAtomic } from '../../record/index.ts';
import { cellsToBuild, type Plan } from '../../study/plan.ts';
import { type Global, print } from '../output.ts';
import { needsOf } from '../study/engine.ts';
import { folderOf, lookAt, type OpenStudy, readStudy, saveStudy, studyFiles, titleOf } from '../study/folder.ts';
import { slurmScript } from '../study/slurm.ts';
import { settingsOf } from './run.ts';

export interface SlurmFlags extends Global {
  readonly out: string;
  readonly set?: readonly string[];
  readonly arrayThrottle?: number;
  readonly pack: number;
  readonly sbatch?: readonly string[];
  readonly dryRun?: boolean;
}

/** What a process takes beside its run, MiB. */
const processMb = 192;
/** Networks that are built to know what a task takes. */
const mostBuilt = 20;

/** `spiketrace study slurm`: submits what is not done as one array, and ends. */
export async function slurm(file: string, flags: SlurmFlags): Promise<void> {
  const opened = await saveStudy(readStudy(file, settingsOf(flags.set ?? [])), resolve(flags.out));
  const open = opened.plan.runs.filter((run) => isOpen(opened, run));
  if (open.length === 0) {
    print(flags.json ? JSON.stringify({ runs: 0 }) : 'nothing to submit: no run is waiting');
    return;
  }
  const folder = join(opened.folder, studyFiles.slurm);
  ensureWritableFolder(folder);
  const number = readdirSync(folder).filter((name) => name.endsWith('.sh')).length + 1;
  const [list, path] = [join(folder, `${number}.runs`), join(folder, `${number}.sh`)];
  const script = slurmScript({
    name: titleOf(opened),
    folder: opened.folder,
    list,
    tasks: Math.ceil(open.length / flags.pack),
    pack: flags.pack,
    throttle: flags.arrayThrottle ?? null,
    cpus: opened.study.resources.threads,
    memoryMb: await memoryOf(opened),
    sbatch: [...opened.study.resources.sbatch, ...(flags.sbatch ?? [])],
    program: [process.execPath, resolve(process.argv[1])],
  });
  writeAtomic(list, new TextEncoder().encode(`${open.map(({ name }) => name).join('\n')}\n`));
  writeAtomic(path, new TextEncoder().encode(script));
  if (flags.dryRun) {
    print(flags.json ? JSON.stringify({ script: path, list, runs: open.length }) : script.trimEnd());
    return;
  }
  const job = submit(path);
  if (flags.json) print(JSON.stringify({ job, script: path, list, runs: open.length }));
  else print(`job ${job}: ${open.length} runs; how far they are: spiketrace study status ${flags.out}`);
}

/** What nobody works on and what would not fail again. */
function isOpen(opened: OpenStudy, run: Plan['runs'][number]): boolean {
  const { state, failure } = lookAt(folderOf(opened, run));
  return state === 'waiting' || state === 'stale' || (state === 'failed' && !failure?.lasting);
}

/** MiB of a task: as the file states it, or what the largest network needs. */
async function memoryOf(opened: OpenStudy): Promise<number> {
  let largest = 0;
  for (const cell of cellsToBuild(opened.plan, mostBuilt)) {
    // A cell that cannot be built fails in its task, and the others do not.
    const needs = await needsOf(opened, cell, Number.POSITIVE_INFINITY).catch(() => null);
    largest = Math.max(largest, needs?.bytes ?? 0);
  }
  return processMb + Math.ceil(largest / 2 ** 20);
}

/** @returns the number of the job @throws UnsupportedError where there is no Slurm, or it refuses */
function submit(script: string): string {
  const { error, status, stdout, stderr } = spawnSync('sbatch', ['--parsable', script], { encoding: 'utf8' });
  if (error) {
    const advice = '--dry-run prints the script; "study commands" prints commands for anything else';
    throw new UnsupportedError(`sbatch cannot be started (${(error as NodeJS.ErrnoException).code}): ${advice}`);
  }
  if (status !== 0) {
    // Its last line says what is wrong, those before where that was found.
    const why = stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^sbatch: (error|fatal): /, '');
    const advice = /array/i.test(why ?? '') ? ' (more runs in a task: --pack)' : '';
    throw new UnsupportedError(`sbatch refused ${script}: ${why}${advice}`);
  }
  return stdout.trim().split(';')[0];
}
