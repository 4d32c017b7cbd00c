// Cost of learning in fixed point, with its counters, in units of the same network in floating point.
//
//     npm run build && node scripts/fixed-ratio.mjs [--only RULE] [--repetitions 25]
//
// Medians of stretches of 250 steps of 16 streams of `four-six-back`, updates at every step, taken in turns in one process per
// rule; processor time, data and checks included. Words are those of the preset `four-six-back-8bit`.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fixed } from '../dist/src/backends/fixed/index.js';
import { catalogue } from '../dist/src/cli/catalogue.js';
import { preset } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { formerName } from '../dist/src/core/formerNames.js';
import { fits } from '../dist/src/engine/names.js';
import { formattableFields } from '../dist/src/engine/network.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';

const rules = {
  'lean SG-r/D': ['rule.name=sg-r-d-lean'],
  'SG-r/D': ['rule.name=sg-r-d'],
  'e-prop 1': ['rule.name=e-prop-1'],
  RFLO: ['rule.name=rflo'],
  'RFLO, leak 0.8': ['rule.name=rflo', 'network.readout.filter.decay=0.8'],
  'SG-v': ['rule.name=sg-v', 'optimizer.rates.in=0.3', 'optimizer.rates.rec=0.3'],
};

/** The same experiment on the backend `fixed`, in the words that it has fields for. */
function inWords(raw) {
  const { formats } = preset('four-six-back-8bit').fixed;
  const bare = { ...raw, backend: 'fixed', fixed: { formats: {} } };
  const names = formattableFields(createExperiment(bare, catalogue).run.network.spec, fixed);
  const own = Object.entries(formats).filter(([field]) => names.some((name) => matches(name, field)));
  return { ...bare, fixed: { formats: Object.fromEntries(own) } };
}

const matches = (name, field) => fits(field, name) || fits(field, formerName(name) ?? '');

function median(times) {
  return times.sort((a, b) => a - b)[times.length >> 1];
}

async function measure(name, repetitions) {
  const raw = applySettings(preset('four-six-back'), rules[name]);
  const both = [raw, inWords(raw)].map((config) => createExperiment(config, catalogue));
  const trainings = both.map((experiment) => experiment.trainTrials());
  const times = [[], []];
  for (const { ready } of both) await ready();
  for (let k = -5; k < repetitions; k++) {
    trainings.forEach((training, which) => {
      const start = process.cpuUsage();
      training.next();
      const { user, system } = process.cpuUsage(start);
      if (k >= 0) times[which].push((user + system) / 1000);
    });
  }
  const [float, words] = times.map(median);
  const { stream, step } = both[0].run.network.spec.sizes;
  const symbols = Math.round((1000 * stream * step) / words);
  const row = [name, both[0].config.backend, float.toFixed(1), words.toFixed(1), (words / float).toFixed(2), symbols];
  console.log(`| ${row.join(' | ')} |`);
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, repetitions: { type: 'string', default: '25' } },
});
if (values.only) await measure(values.only, Number(values.repetitions));
else {
  console.log('| rule | backend | float (ms) | fixed (ms) | ratio | symbols/s in fixed point |');
  console.log('|---|---|---|---|---|---|');
  for (const name of Object.keys(rules)) {
    const { stdout, stderr } = spawnSync(process.argv[0], [
      process.argv[1],
      '--only',
      name,
      '--repetitions',
      values.repetitions,
    ]);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
  }
}
