import { Command } from 'commander';
import { audit, defaultRules } from './commands/audit.ts';
import { bench } from './commands/bench.ts';
import { check } from './commands/check.ts';
import { compare } from './commands/compare.ts';
import { deploy } from './commands/deploy.ts';
import { diagnose } from './commands/diagnose.ts';
import { exportRun } from './commands/export.ts';
import { importNir } from './commands/importNir.ts';
import { evaluate, list, plot, schema, verify } from './commands/inspect.ts';
import { createNew } from './commands/new.ts';
import { record } from './commands/record.ts';
import { resume, train } from './commands/run.ts';
import { show } from './commands/show.ts';
import { tune } from './commands/tune.ts';
import { watchRuns } from './commands/watch.ts';
import { widths } from './commands/widths.ts';
import { backend, examples, json, live, many, plugin, positive, set, threads, whole } from './options.ts';
import { loadPlugins } from './plugins.ts';
import { addStudy } from './studyProgram.ts';
import { version } from './version.ts';

/** The command line. Every command throws on failure; `main.ts` turns that into an exit code. */
export function createProgram(): Command {
  const program = new Command('spiketrace')
    .description('Train recurrent spiking networks with local, online learning rules.')
    .version(version())
    .showHelpAfterError('(add --help for the options and examples)');
  for (const add of [
    addTrain,
    addShow,
    addResume,
    addWatch,
    addCompare,
    addStudy,
    addDeploy,
    addWidths,
    addTune,
    addAudit,
    addDiagnose,
    addEval,
    addRecord,
    addPlot,
    addNew,
    addCheck,
    addVerify,
    addImport,
    addExport,
    addList,
    addSchema,
    addBench,
  ])
    add(program);
  for (const command of commandsOf(program)) if (command.commands.length === 0) command.option(...plugin);
  program.hook('preAction', (_, command) => loadPlugins(command.opts<{ plugin?: string[] }>().plugin ?? []));
  return program;
}

/** A command with all those below it. */
export function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}

function addTrain(program: Command): void {
  program
    .command('train')
    .argument('<preset|file>', 'a preset (see "list presets") or an experiment file')
    .description('train a network and write a run folder: config, metrics, checkpoint, weights, figures')
    .option(...set)
    .option('--seed <n>', 'seed of the run, or of the first run', whole(0))
    .option('--seeds <n>', 'several runs with consecutive seeds, in OUT/rule/seed-k', whole(1, 10_000))
    .option('--out <folder>', 'where to; default runs/NAME')
    .option('--until <amount>', 'stop at the first trial border at or after this many symbols or trials', whole(1))
    .option('--weights <folder>', 'start from weights in .npy files instead of drawn ones')
    .option(...backend)
    .option(...threads)
    .option('--no-figures', 'do not draw figures')
    .option(...live)
    .option('--record <fields>', 'record steps, for example z,psi,signal,v,threshold,rec.trace.eps')
    .option('--record-neurons <indices>', 'of fields with one value per neuron, for example 0,5,10-12')
    .option('--record-trials <from:to>', 'trials (chunks) to record; default 0:1')
    .option('--record-every <n>', 'every n-th step only', whole(1))
    .option('--record-stream <n>', 'stream to record', whole(0))
    .option('--record-max-mb <n>', 'refuse a recording that could need more, MiB', positive, 256)
    .option('--record-csv', 'write recorded fields as CSV too')
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace train four-six-back --out runs/first',
        'spiketrace train four-six-back --set rule.feedback=symmetric --seeds 5 --threads 2',
        'spiketrace train pattern-generation --set training.total=200 --record z,v --record-neurons 0-9',
        'spiketrace train experiment.json --until 320000',
        'spiketrace train four-six-back --seeds 5 --live',
      ]),
    )
    .action(train);
}

function addShow(program: Command): void {
  program
    .command('show')
    .argument('<preset|file>', 'a preset or an experiment file')
    .description('what a network is made of, before anything runs: neurons, synapses, bytes, work of a step')
    .option(...set)
    .option(...backend)
    .option('--out <file>', 'also draw it, as PNG')
    .option(...json)
    .addHelpText(
      'after',
      examples(['spiketrace show four-six-back', 'spiketrace show experiment.json --out network.png']),
    )
    .action(show);
}

function addResume(program: Command): void {
  program
    .command('resume')
    .argument('<folder>', 'a run folder, or a folder of runs')
    .description('go on where the last checkpoint was written; the result is that of an uninterrupted run')
    .option('--until <amount>', 'stop again at this many symbols or trials', whole(1))
    .option(...threads)
    .option('--no-figures', 'do not draw figures')
    .option(...live)
    .option(...json)
    .addHelpText('after', examples(['spiketrace resume runs/first']))
    .action(resume);
}

function addWatch(program: Command): void {
  program
    .command('watch')
    .argument('<folder>', 'a run folder, or a folder of runs')
    .description('show runs on a page of this machine, while they train and after: curves compared, spikes, outputs')
    .option('--port <n>', 'of 127.0.0.1; default any that is free', whole(0, 65535), 0)
    .option(...json)
    .addHelpText('after', examples(['spiketrace watch runs']))
    .action(watchRuns);
}

function addCompare(program: Command): void {
  program
    .command('compare')
    .argument('<preset|file>', 'a preset or an experiment file')
    .description('train several rules on the same data: one table and one figure, with the known bounds')
    .requiredOption(
      '--rules <a,b,...>',
      'rules to compare (see "list rules"), or variants of them as name:setting=value:as=label',
    )
    .option('--seeds <n>', 'runs per rule', whole(1, 10_000), 3)
    .option('--out <folder>', 'where to; runs that are there already are gone on with, not done again')
    .option(...set)
    .option(...backend)
    .option(...threads)
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace compare four-six-back --rules sg-r-d,e-prop-1,readout-only --seeds 5',
        'spiketrace compare four-six-back --rules sg-r-d,sg-r-d:delays=3,sg-r-d:rateJ=0',
        'spiketrace compare four-six-back --rules e-prop-1,e-prop-1:optimizer.rates.rec=0.1:as=slow',
      ]),
    )
    .action(compare);
}

function addDeploy(program: Command): void {
  program
    .command('deploy')
    .argument('<preset|file|folder>', 'a preset, an experiment file or a run folder')
    .description('would the rule fit a chip? Verdict, first violated constraint, state it needs')
    .requiredOption('--chip <a,b,...>', 'chips (see "list chips"), or profiles of your own as .json files')
    .option('--details', 'all checks and the state of learning, also for several chips')
    .option('--rate <hz>', 'assumed rate of neurons and inputs, Hz; default the target of the rate term', positive)
    .option(
      '--accuracy',
      'train in floating point, with the structure of the chip, and in its number formats too; kept only when complete',
    )
    .option('--seeds <n>', 'of --accuracy: trainings of each', whole(1, 1000), 3)
    .option('--images <folder>', 'write memory images and SPI writes of the trained network for reckon')
    .option('--require <verdict>', 'exit with 1 unless every chip is at least so: fits, or fits-with approximations')
    .option('--out <folder>', 'also write the report there as JSON and as a page')
    .option(...set)
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace deploy four-six-back --set rule.name=sg-r-d --chip reckon,loihi2,spinnaker2',
        'spiketrace deploy four-six-back --set training.total=32000 --chip loihi2 --accuracy --seeds 5 --out report',
        'spiketrace deploy runs/pattern-generation --chip reckon --images images',
      ]),
    )
    .action(deploy);
}

function addWidths(program: Command): void {
  program
    .command('widths')
    .argument('<preset|file|folder>', 'a preset, an experiment file or a run folder')
    .description(
      'search the smallest widths of words at which the network still learns in fixed point; kept only when it is complete',
    )
    .requiredOption(
      '--margin <loss>',
      'what the mean loss may be above that of floating point, in its units (nats), or as a share of it, 5%',
    )
    .option('--seeds <n>', 'trainings of each width', whole(1, 1000), 3)
    .option(
      '--groups <a,b,...>',
      'weights, traces, signals, membranes, or names of single groups: the others stay in floating point',
    )
    .option('--rounding <how>', 'of weights and traces: stochastic or nearest', 'stochastic')
    .option('--start <bits>', 'the widest words, which have to be within the margin', whole(2, 16), 16)
    .option('--out <folder>', 'write the result, and the experiment in fixed point for "train", there')
    .option(...set)
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace widths four-six-back --margin 0.01 --set training.total=32000 --out widths',
        'spiketrace widths runs/first --margin 5% --groups weights,traces --rounding nearest --seeds 5',
      ]),
    )
    .action(widths);
}

function addTune(program: Command): void {
  program
    .command('tune')
    .argument('<preset|file>', 'a preset or an experiment file')
    .description('search rates from which an experiment learns: many settings for a short time, the best for longer')
    .option(
      '--budget <n>',
      'short runs of one seed: the last ones are half as long as the training',
      whole(5, 100_000),
      20,
    )
    .option(
      '--search <paths=low:high>',
      'numbers that are searched together, path[,path...], between low and high times what they are (repeat); ' +
        'default the rates of the network and those of the readouts, 0.01:100',
      many,
    )
    .option('--seeds <n>', 'runs of every setting, whose mean counts', whole(1, 1000), 1)
    .option('--out <folder>', 'where to; runs that are there already are gone on with, not done again')
    .option(...set)
    .option(...backend)
    .option(...threads)
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace tune pattern-generation --budget 20 --out runs/tuned',
        'spiketrace tune experiment.json --search optimizer.rates.in,optimizer.rates.rec=0.1:10 --search rateTerm.strength',
      ]),
    )
    .action(tune);
}

function addAudit(program: Command): void {
  program
    .command('audit')
    .argument('<preset|file>', 'a preset or an experiment file')
    .description(
      'train once and measure, all along, how well the updates of several rules point along the true gradient; kept only when it is complete',
    )
    .option(
      '--rules <a,b,...>',
      'rules to audit beside the configured one, or variants of them as name:setting=value:as=label',
      defaultRules,
    )
    .option('--windows <n>', 'audit points, from the first weights to the last', whole(2, 10_000), 20)
    .option('--chunks <n>', 'fresh chunks (trials) that each point sums over', whole(1, 10_000), 4)
    .option(
      '--draws <n>',
      'draws of the noise of rules at each point; with several, bias and variance',
      whole(1, 10_000),
      1,
    )
    .option(
      '--reset <how>',
      "whether the true gradient goes through the neuron's own reset: attached or detached",
      'detached',
    )
    .option('--out <folder>', 'where to; default runs/NAME-audit')
    .option(...set)
    .option('--seed <n>', 'seed of the run', whole(0))
    .option(...backend)
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace audit four-six-back --set training.total=320000',
        'spiketrace audit four-six-back --set \'rule={"name":"sg-r-d"}\' --rules e-prop-1,sg-r-d:delays=1:as=one',
        'spiketrace audit pattern-generation --rules e-prop-1,bptt:window=20 --reset attached --windows 10',
      ]),
    )
    .action(audit);
}

function addDiagnose(program: Command): void {
  program
    .command('diagnose')
    .argument('<folder>', 'a run folder, finished or not, or a folder of runs')
    .description(
      'what keeps a run from learning: every cause with its number, its threshold and what to do; and a figure',
    )
    .option('--no-figures', 'do not draw the figure')
    .option(...json)
    .addHelpText('after', examples(['spiketrace diagnose runs/first', 'spiketrace diagnose runs/first --json']))
    .action(diagnose);
}

function addEval(program: Command): void {
  program
    .command('eval')
    .argument('<folder>', 'a run folder, or a folder of runs')
    .description('score the weights on fresh data with learning off: what a table should quote')
    .option('--symbols <n>', 'symbols or trials; default as configured', whole(1))
    .option('--label <text>', 'another label gives other fresh data')
    .option(...json)
    .addHelpText('after', examples(['spiketrace eval runs/first --symbols 80000']))
    .action(evaluate);
}

function addRecord(program: Command): void {
  program
    .command('record')
    .argument('<folder>', 'a run folder, or a folder of runs')
    .description(
      'record steps of the trained network, its weights as they are: a row a step as .npy; `export` writes tables of spikes',
    )
    .requiredOption('--fields <names>', 'rows and state to record, for example z,v,signal')
    .option('--trials <from:to>', 'trials (chunks) to record', '0:1')
    .option('--split <name>', 'test: fresh data; train: what it has learned from', 'test')
    .option('--neurons <indices>', 'of fields with one value per neuron, for example 0,5,10-12')
    .option('--every <n>', 'every n-th step only', whole(1))
    .option('--max-mb <n>', 'refuse a recording that could need more, MiB', positive, 256)
    .option('--csv', 'write recorded fields as CSV too')
    .option('--out <folder>', 'where to; default recordings/SPLIT in the run folder')
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace record runs/first --fields z,v --trials 0:3',
        'spiketrace record runs/first --fields signal --split train --neurons 0-9',
      ]),
    )
    .action(record);
}

function addPlot(program: Command): void {
  program
    .command('plot')
    .argument('<folder>', 'a run folder, or a folder of runs')
    .description('draw the figures again: raster, stacked traces before and after, learning curve, weights')
    .option('--format <name>', 'png; svg: lines and text as paths; html: to zoom and point at, weights as png', 'png')
    .option('--window <from:to>', 'ms of a trial, or of a stream after its first chunk, that raster and traces show')
    .option('--neurons <rows>', 'rows of the raster whose traces are drawn, for example 0,5,10-12')
    .option('--panels <names>', 'of the stacked figure: some of input,neurons,v,psi,signal,readout,error')
    .option('--out <folder>', 'where to; default figures in the run folder')
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace plot runs/first',
        'spiketrace plot runs/first --format html',
        'spiketrace plot runs/first --format svg --window 100:400 --neurons 3,7 --panels neurons,v,signal --out figures',
      ]),
    )
    .action(plot);
}

function addNew(program: Command): void {
  program
    .command('new')
    .argument('<kind>', 'rule, neuron, task or chip')
    .argument('<name>', 'what experiments will call it; the file is NAME.ts, of a chip NAME.json')
    .description('write one commented file of your own that runs at once, to be changed')
    .option(...json)
    .addHelpText('after', examples(['spiketrace new rule my-rule', 'spiketrace new chip my-chip']))
    .action(createNew);
}

function addCheck(program: Command): void {
  program
    .command('check')
    .argument('<file>', 'a plug-in: a .ts or .js file of your own')
    .description(
      'what holds of its rules, neurons, tasks, ...: same bits again, resume, causality, streams, ...; 1 where something does not',
    )
    .option('--with <json>', 'parameters that have no default, with the kind or name of an entry (repeat)', many)
    .option(...json)
    .addHelpText(
      'after',
      examples(['spiketrace check mine.ts', 'spiketrace check mine.ts --with \'{"kind":"my-task","steps":50}\'']),
    )
    .action(async (file: string, flags: { json?: boolean; with?: string[] }) => {
      if (!(await check(file, flags))) process.exitCode = 1;
    });
}

function addVerify(program: Command): void {
  program
    .command('verify')
    .argument('<file...>', 'golden files')
    .description('run the engine on golden files and print the worst relative error of every quantity')
    .option('--backend <name>', 'auto, wasm, reference or tfjs')
    .option(...json)
    .addHelpText('after', examples(['spiketrace verify test/golden/eprop-alif-small.json']))
    .action(async (paths: string[], flags: { json?: boolean; backend?: string }) => {
      if (!(await verify(paths, flags))) process.exitCode = 1;
    });
}

function addImport(program: Command): void {
  program
    .command('import')
    .argument('<file>', 'a NIR file, .nir')
    .description('make an experiment and a folder of weights from a network that another framework has written as NIR')
    .option(
      '--convention <name|file>',
      'how the file is read: snntorch, norse, sinabs, rockpool, spyx, nir, or a JSON file; not needed for our own files',
    )
    .option('--dt <step>', 'length of a step, in the unit of the time constants of the file', positive)
    .option('--allow <a,b,...>', 'say otherwise what our networks cannot say: multi-spike, min-v, convolution')
    .requiredOption('--out <file>', 'the experiment; its weights go into a folder beside it')
    .option(...set)
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace import network.nir --convention snntorch --out imported.json',
        'spiketrace import network.nir --convention norse --dt 0.0005 --set rule.name=bptt --out imported.json',
      ]),
    )
    .action(importNir);
}

function addExport(program: Command): void {
  program
    .command('export')
    .argument('<folder>', 'a run folder')
    .description(
      'write what a run has learned, and does, as files of other tools: spikes, weights, states, the network as NIR',
    )
    .option('--spikes <file>', '.csv, .npz or .nwb: every spike, with trial, population, unit and time')
    .option('--weights <file>', '.npz or .h5: all weights under the names of the projections and readouts')
    .option('--states <file>', '.npz or .h5: what --fields names, [trial][step][width]')
    .option('--fields <names>', 'rows and state for --states, for example z,v,signal')
    .option('--trials <from:to>', 'trials (chunks) of --spikes and --states', '0:1')
    .option('--split <name>', 'of --spikes and --states; test: fresh data; train: what it has learned from', 'test')
    .option('--max-mb <n>', 'refuse states that need more, MiB', positive, 256)
    .option('--nir <file>', 'the network, for other frameworks')
    .option('--for <a,b,...>', 'frameworks that will read it: snntorch,norse or spyx')
    .option('--lossy', 'drop what NIR cannot say, and list it, in place of refusing')
    .option('--readouts', 'write the readout to NIR too; an LI makes snnTorch raise, and Norse drops it')
    .option(...json)
    .addHelpText(
      'after',
      examples([
        'spiketrace export runs/first --spikes spikes.npz --trials 0:10 --weights weights.npz',
        'spiketrace export runs/first --states states.h5 --fields v,psi,signal',
        'spiketrace export runs/first --nir network.nir --for snntorch,norse',
      ]),
    )
    .action(exportRun);
}

function addList(program: Command): void {
  program
    .command('list')
    .argument('[registry]', 'rules, neurons, readouts, traces, signals, tasks, losses, chips or presets')
    .description('what there is to choose from')
    .option(...json)
    .addHelpText('after', examples(['spiketrace list rules']))
    .action(list);
}

function addSchema(program: Command): void {
  program
    .command('schema')
    .argument('[what]', 'experiment, study or chip', 'experiment')
    .description('JSON Schema of an experiment file, of a study file or of a chip of your own, for editors')
    .option('--out <file>', 'write it to a file')
    .option('--json', 'on one line')
    .addHelpText(
      'after',
      examples(['spiketrace schema --out experiment.schema.json', 'spiketrace schema chip --out chip.schema.json']),
    )
    .action(schema);
}

function addBench(program: Command): void {
  program
    .command('bench')
    .description('time the engine on fixed networks')
    .option('--only <case>', 'one case')
    .option('--out <file>', 'also write the results to a file')
    .option(...json)
    .addHelpText('after', examples(['spiketrace bench --only pattern']))
    .action(bench);
}
