import { shellQuoted } from './shell.ts';

/** One job array. */
export interface SlurmJob {
  readonly name: string;
  /** Of the study, absolute. */
  readonly folder: string;
  /** File with the name of a run on each line, absolute. */
  readonly list: string;
  readonly tasks: number;
  /** Runs of a task. */
  readonly pack: number;
  /** Tasks at a time; null: as many as the cluster lets. */
  readonly throttle: number | null;
  /** Cores of a task. */
  readonly cpus: number;
  /** MiB of a task. */
  readonly memoryMb: number;
  /** Options passed through; of two of the same name Slurm takes the last. */
  readonly sbatch: readonly string[];
  /** What starts this program. */
  readonly program: readonly string[];
}

/** Seconds before the end of its time at which a task is told to save. */
const grace = 60;

/**
 * The script of a job array. A task does its runs one after the other. Told to stop (a minute before its time is over, or on preemption) it saves, and goes
 * back into the queue where work is left. What a user has cancelled stays so: `scontrol requeue`, or submitting again, brings it back.
 */
export function slurmScript(job: SlurmJob): string {
  const { name, folder, list, tasks, pack, throttle, cpus, memoryMb, sbatch, program } = job;
  const options = [
    `--job-name=${name.replace(/[^\w.-]/g, '-')}`,
    `--array=0-${tasks - 1}${throttle === null ? '' : `%${throttle}`}`,
    `--output=${folder}/slurm/%A_%a.log`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:TERM@${grace}`,
    `--cpus-per-task=${cpus}`,
    `--mem=${memoryMb}M`,
    ...sbatch,
  ];
  return `#!/bin/bash
${options.map((option) => `#SBATCH ${/\s/.test(option) && !option.includes('"') ? `"${option}"` : option}`).join('\n')}

told=0
trap 'told=$((told + 1)); kill -TERM "$child" 2>/dev/null' TERM

first=$((SLURM_ARRAY_TASK_ID * ${pack} + 1))
mapfile -t runs < <(sed -n "$first,$((first + ${pack - 1}))p" ${shellQuoted([list])})
${shellQuoted([...program, 'study', 'cell', folder])} --threads ${cpus} "\${runs[@]}" &
child=$!
# Who was told before there was a program tells it now.
seen=$told
[ "$seen" -gt 0 ] && kill -TERM "$child"
wait "$child"
code=$?
# A signal ends "wait" before the program has saved.
while [ "$told" -gt "$seen" ]; do
  seen=$told
  wait "$child"
  code=$?
done

if [ "$code" -eq 143 ]; then
  # One that Slurm is ending itself (cancelled, or put back already) is no longer running.
  task="\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"
  scontrol show job "$task" | grep -q JobState=RUNNING && scontrol requeue "$task"
fi
exit "$code"
`;
}
