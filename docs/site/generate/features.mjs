// Rule x neuron x backend x chip: what the registries hold, tried in a small network, and what the engine and the chips say of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url));
const backends = ['reference', 'wasm', 'fixed', 'tfjs'];

/** What a rule has to be told beside its name where no preset has it. */
const told = { factored: { trace: { kind: 'eligibility' }, signal: { kind: 'broadcast' } } };
/** Number formats, without which the backend `fixed` has nothing to keep to. */
const formats = '{"formats":{"*.weights":{"bits":8,"range":4,"rounding":"stochastic"}}}';

export async function writeFeatures(pages) {
  const [spiketrace, { models }, { tasks }, hardware] = await Promise.all([
    dist('src/index.js'),
    dist('models/index.js'),
    dist('tasks/index.js'),
    dist('hardware/index.js'),
  ]);
  await spiketrace.loadTensorFlow();
  const catalogue = { ...models, tasks };
  const basesOf = createBases(spiketrace, catalogue);
  const rules = models.rules.map((rule) => {
    const bases = basesOf(rule.name);
    const neurons = models.neurons.map(({ kind }) => {
      const tried = Object.fromEntries(
        backends.map((backend) => [backend, tryOn(spiketrace, catalogue, bases, kind, backend)]),
      );
      const { experiment } = tried.reference;
      const demand = experiment && hardware.demandOf(experiment.run.network.spec);
      return { kind, tried, deployments: demand && hardware.profiles.map((chip) => hardware.deploy(demand, chip)) };
    });
    return { ...rule, neurons };
  });
  writeFileSync(join(pages, 'features.md'), page(rules, models.neurons, hardware.profiles));
}

/** Experiments in which a rule is tried: weights that change within a trial, and between trials; then the presets that are made for it. */
function createBases({ applySettings, preset, presetNames }, catalogue) {
  const small = (name, settings) => applySettings(preset(name), ['network.neurons=20', ...settings], catalogue);
  const general = [
    small('four-six-back', ['training.chunkSteps=200', 'training.update.every=20']),
    small('pattern-generation', ['rateTerm.strength=0']),
  ];
  return (name) => {
    const rule = { name, ...told[name] };
    const own = presetNames
      .map((one) => preset(one))
      .filter((one) => one.rule.name === name && one.network.populations);
    return [...general.map((base) => ({ ...base, rule })), ...own];
  };
}

/** The first base that runs, or why none does: the reason that came last, which is the rule's own where the others are of the setting. */
function tryOn({ applySettings, createExperiment, UnsupportedError }, catalogue, bases, kind, backend) {
  const reasons = [];
  for (const base of bases) {
    const owners = base.network.populations
      ? Object.keys(base.network.populations).map((name) => `network.populations.${name}`)
      : ['network'];
    const settings = [
      ...owners.map((owner) => `${owner}.neuron={"kind":"${kind}"}`),
      `backend=${backend}`,
      ...(backend === 'fixed' ? [`fixed=${formats}`] : []),
    ];
    try {
      return { experiment: createExperiment(applySettings(base, settings, catalogue), catalogue) };
    } catch (error) {
      if (error instanceof UnsupportedError) reasons.unshift(error.message);
      else if (error.name === 'ConfigError') reasons.push(error.message);
      else throw error;
    }
  }
  return { reason: reasons[0] };
}

function page(rules, neurons, chips) {
  const head = (cells) => `| ${cells.join(' | ')} |\n|${cells.map(() => '---|').join('')}`;
  const backendRows = rules.map(
    ({ name, neurons: own }) => `| \`${name}\` | ${own.map(({ tried }) => backendsOf(tried)).join(' | ')} |`,
  );
  return `---
pageClass: wide-tables
---

# Rules, neurons, backends, chips

Every rule of the package with every neuron, as the registries have them. Nothing here is typed: each cell is a small network that was built with that rule, neuron and backend when this site was made (or what refused
it), and each verdict is that of \`spiketrace deploy\` on it. Names with their sources are what \`spiketrace list\` prints.

## Where a rule runs

${head(['rule', ...neurons.map(({ kind }) => kind)])}
${backendRows.join('\n')}

R reference, W wasm, F fixed point (8-bit weights), T TensorFlow.js; – is refused, with the reason below. Neurons have their default parameters; weights change within the trial where the rule lets them, else between trials.

### Why not

${whyNot(rules)}

## Which chip a rule fits

${neurons.map(({ kind }) => chipTable(kind, rules, chips, head)).join('\n\n')}

## Sources

${head(['rule', 'what it is', 'source'])}
${rules.map(({ name, summary, source }) => `| \`${name}\` | ${plain(summary)} | ${plain(source)} |`).join('\n')}

${head(['neuron', 'source'])}
${neurons.map(({ kind, source }) => `| \`${kind}\` | ${plain(source)} |`).join('\n')}

${head(['chip', 'what it is'])}
${chips.map(({ id, name, substrate }) => `| \`${id}\` | ${plain(name)}, ${plain(substrate)} |`).join('\n')}
`;
}

const plain = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('{', '&#123;');

function backendsOf(tried) {
  const letters = backends.filter((backend) => tried[backend].experiment).map((backend) => backend[0].toUpperCase());
  return letters.length > 0 ? letters.join(' ') : '–';
}

/** Reasons with all that they keep away. */
function whyNot(rules) {
  const reasons = new Map();
  for (const { name, neurons } of rules) {
    for (const { kind, tried } of neurons) {
      const { reason } = tried.reference;
      if (!reason) continue;
      const of = reasons.get(reason) ?? new Map();
      of.set(name, [...(of.get(name) ?? []), kind]);
      reasons.set(reason, of);
    }
  }
  const listed = [...reasons].map(
    ([reason, of]) =>
      `- ${plain(reason)}: ${[...of].map(([name, kinds]) => `\`${name}\` (${kinds.join(', ')})`).join('; ')}`,
  );
  const others = backends
    .slice(1)
    .map(
      (backend) => `<details><summary>Not on ${backend}</summary>\n\n${backendReasons(rules, backend)}\n\n</details>`,
    );
  return [...listed, '', ...others].join('\n');
}

/** What a backend lacks, of what runs on the reference. */
function backendReasons(rules, backend) {
  const reasons = new Map();
  for (const { name, neurons } of rules) {
    for (const { kind, tried } of neurons) {
      const { reason } = tried[backend];
      if (reason && tried.reference.experiment)
        reasons.set(reason, [...(reasons.get(reason) ?? []), `\`${name}\` with ${kind}`]);
    }
  }
  return [...reasons].map(([reason, of]) => `- ${plain(reason)}: ${of.join(', ')}`).join('\n') || 'Nothing.';
}

const words = { fits: 'fits', 'fits with': 'degraded', 'does not fit': 'no' };

function chipTable(kind, rules, chips, head) {
  const rows = rules.flatMap(({ name, neurons }) => {
    const { deployments } = neurons.find((one) => one.kind === kind);
    return deployments ? [{ name, deployments }] : [];
  });
  const cell = ({ verdict, reasons }) => {
    const [first = ''] = reasons;
    const check = verdict === 'does not fit' ? `: ${first.split(':')[0]}` : '';
    return `<span class="verdict ${words[verdict].replace(' ', '-')}">${words[verdict]}</span>${check}`;
  };
  const why = rows.flatMap(({ name, deployments }) =>
    deployments
      .filter(({ verdict }) => verdict === 'does not fit')
      .map(({ chip, reasons }) => `| \`${name}\` | ${chip} | ${plain(reasons[0])} |`),
  );
  return `### ${kind}

${head(['rule', ...chips.map(({ id }) => id)])}
${rows.map(({ name, deployments }) => `| \`${name}\` | ${deployments.map(cell).join(' | ')} |`).join('\n')}

<details><summary>What says no, and what would fit</summary>

${head(['rule', 'chip', 'first check that fails'])}
${why.join('\n')}

</details>`;
}
