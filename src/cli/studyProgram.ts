import type { Command } from 'commander';
import { cell, commands, plan, run, status } from './commands/study.ts';
import { collect, plotStudy, report } from './commands/studyResults.ts';
import { slurm } from './commands/studySlurm.ts';
import { examples, json, many, positive, set, threads, whole } from './options.ts';

const out = ['--out <folder>', 'of the study: what is there already is gone on with, not done again'] as const;
const memory = ['--memory <MiB>', 'that all runs may take together; default what is free', positive] as const;
const retry = ['--retry-failed', 'try runs again that failed in a way that would come again'] as const;

/** `spiketrace study ...` */
export function addStudy(program: Command): void {
  const study = program
    .command('study')
    .description('many runs from one file: plan them, run them here or on a cluster, collect them in one table');
  for (const add of [addPlan, addRun, addCell, addCommands, addSlurm, addStatus, addCollect, addPlot, addReport])
    add(study);
  study.addHelpText(
    'after',
    examples(['spiketrace study plan study.json', 'spiketrace study run study.json --out runs/study']),
  );
}

function addPlan(study: Command): void {
  study
    .command('plan')
    .argument('<file>', 'a study file')
    .description('its cells, and the memory that a run of each takes; nothing is written')
    .option(...set)
    .option(...json)
    .addHelpText('after', examples(['spiketrace study plan study.json']))
    .action(plan);
}

function addRun(study: Command): void {
  study
    .command('run')
    .argument('<file>', 'a study file')
    .description('do all of its runs on this machine; any number of these may work on one folder at once')
    .requiredOption(...out)
    .option(...threads)
    .option(...memory)
    .option(...retry)
    .option(...set)
    .option(...json)
    .addHelpText('after', examples(['spiketrace study run study.json --out runs/study --threads 4']))
    .action(run);
}

function addCell(study: Command): void {
  study
    .command('cell')
    .argument('<folder>', 'of a study')
    .argument('<name...>', 'of runs (CELL/seed-1) or cells, or numbers of runs from 0')
    .description('do single runs: what a task of a cluster does; stopped by SIGTERM it saves and ends with 143')
    .option(threads[0], 'runs at a time', threads[2], 1)
    .option(...memory)
    .option(...retry)
    .option(...json)
    .addHelpText('after', examples(['spiketrace study cell runs/study rule.name=e-prop-1/seed-1']))
    .action(cell);
}

function addCommands(study: Command): void {
  study
    .command('commands')
    .argument('<file>', 'a study file')
    .description('one command a line, one for each run, for GNU parallel, Snakemake or a cluster without Slurm')
    .requiredOption(...out)
    .option(...set)
    .option(...json)
    .addHelpText('after', examples(['spiketrace study commands study.json --out runs/study | parallel -j 4']))
    .action(commands);
}

function addStatus(study: Command): void {
  study
    .command('status')
    .argument('<folder>', 'of a study')
    .description('how many runs are done, running, waiting, failed, or left by a machine that is gone')
    .option(...json)
    .addHelpText('after', examples(['spiketrace study status runs/study']))
    .action(status);
}

function addSlurm(study: Command): void {
  study
    .command('slurm')
    .argument('<file>', 'a study file')
    .description('one job array of all runs that are not done: it is submitted, and this command ends')
    .requiredOption(...out)
    .option('--array-throttle <n>', 'tasks at a time', whole(1))
    .option('--pack <n>', 'runs that one task does, one after the other', whole(1), 1)
    .option('--sbatch <option>', 'an option of the job, such as --partition=short (repeat)', many)
    .option('--dry-run', 'print the script, submit nothing')
    .option(...set)
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace study slurm study.json --out runs/study --pack 10 --array-throttle 50 --sbatch=--time=1:00:00',
      ]),
    )
    .action(slurm);
}

function addCollect(study: Command): void {
  study
    .command('collect')
    .argument('<folder>', 'of a study')
    .description(
      'one tidy table of all runs, means with intervals, and paired tests between levels; works while runs go on',
    )
    .option(
      '--out <file>',
      'the table, as Parquet where the name ends in .parquet, else as CSV: a row for each run, a column for each factor and measure',
    )
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace study collect runs/study --out table.csv',
        'spiketrace study collect runs/study --out table.parquet',
      ]),
    )
    .action(collect);
}

function addPlot(study: Command): void {
  study
    .command('plot')
    .argument('<folder>', 'of a study')
    .description('learning curves with bands over seeds, a slope chart for each factor, heat maps of pairs of factors')
    .option(...json)
    .addHelpText('after', examples(['spiketrace study plot runs/study']))
    .action(plotStudy);
}

function addReport(study: Command): void {
  study
    .command('report')
    .argument('<folder>', 'of a study')
    .description('one page for a supplement: the file, tables, tests, figures, versions, and what failed')
    .option('--out <file>', 'default report.html in the folder')
    .option(...json)
    .addHelpText('after', examples(['spiketrace study report runs/study']))
    .action(report);
}
