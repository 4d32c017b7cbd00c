// Networks of ten tasks that thresholds of the diagnosis were not set on, for scripts/diagnosis.mjs.

/** Two populations, as the tasks of trials have them. */
const cells = {
  populations: ['network.populations.lif', 'network.populations.alif'],
  projections: ['in-lif', 'in-alif', 'lif-lif', 'lif-alif', 'alif-lif', 'alif-alif'],
  range: 1,
};
const one = { populations: ['network'], projections: ['in', 'rec'], readouts: ['out'] };

/**
 * Other tasks, neurons and optimisers than those that thresholds were set on, each broken in the same ways; null: not in that way. What the
 * first three had shown was mended, then the next four were looked at and what they had shown was mended, then the last three.
 */
export const bases = [
  {
    source: 'store-recall',
    ...cells,
    readouts: ['out'],
    shuffled: 'shuffled-store-recall',
    fewer: 2560,
    dominates: 30,
    rateTerm: 1e5,
  },
  {
    source: 'pattern-generation',
    ...one,
    shuffled: null,
    fewer: 200,
    range: 0.1,
    dominates: 0.02,
    rateTerm: 1e6,
  },
  {
    source: 'digits',
    settings: ['training.total=60000'],
    ...one,
    shuffled: 'shuffled-digits',
    fewer: 3000,
    range: 1,
    dominates: 30,
    rateTerm: 1000,
  },
  {
    source: 'match-to-sample',
    settings: ['training.total=32000'],
    ...cells,
    readouts: ['out'],
    shuffled: 'shuffled-match-to-sample',
    fewer: 2560,
    dominates: 30,
    rateTerm: 1e5,
  },
  {
    source: 'interval-matching',
    settings: ['training.total=32000'],
    ...cells,
    readouts: ['out'],
    // When the go signal comes says something of any trial.
    shuffled: null,
    fewer: 2560,
    dominates: 30,
    rateTerm: 1e5,
  },
  {
    source: 'delayed-choice',
    settings: ['training.total=32000'],
    ...cells,
    readouts: ['actor', 'critic'],
    shuffled: null,
    opposed: null,
    fewer: 640,
    dominates: 30,
    rateTerm: 1e5,
  },
  {
    source: 'periodic-output',
    ...one,
    silent: ['network.input.init.value=0', 'network.recurrent.init.gain=1e-6'],
    saturated: ['network.input.bias=50'],
    psi: null,
    shuffled: null,
    fewer: 5000,
    range: 1,
    dominates: 1,
    rateTerm: null,
  },
  {
    source: 'temporal-xor',
    settings: ['training.total=32000'],
    ...cells,
    readouts: ['out'],
    shuffled: 'shuffled-parity',
    fewer: 2560,
    dominates: 30,
    rateTerm: 1e5,
  },
  {
    source: 'cart-pole',
    settings: ['training.total=3200'],
    populations: ['network.populations.rec'],
    projections: ['in', 'rec'],
    readouts: ['actor', 'critic'],
    shuffled: null,
    opposed: null,
    fewer: 160,
    range: 1,
    dominates: 30,
    rateTerm: 1e5,
  },
  {
    source: 'cued-segments',
    ...one,
    silent: null,
    saturated: null,
    psi: null,
    shuffled: null,
    fewer: 1000,
    range: 1,
    dominates: 0.3,
    rateTerm: null,
  },
];

/** Rows of one of them: name, source, settings, cause. @param opposedRule rule whose signal has the wrong sign, for a share of neurons */
export function heldOut({ source, settings = [], populations, projections, readouts, ...ways }, opposedRule) {
  const all = (value, names = [...projections, ...readouts]) => names.map((name) => `optimizer.rates.${name}=${value}`);
  const neurons = (name, value) => populations.map((path) => `${path}.neuron.${name}=${value}`);
  const currents = (value) =>
    populations.map((path) => (path === 'network' ? `network.input.bias=${value}` : `${path}.current=${value}`));
  const formats = JSON.stringify({ '*.weights': { bits: 4, range: ways.range, rounding: 'nearest' } });
  const fewer = `training.total=${ways.fewer}`;
  const noRates = ways.rateTerm === null ? [] : ['rateTerm.strength=0'];
  const {
    silent = [...neurons('vTh', 1e6), ...noRates],
    saturated = [...currents(50), ...noRates],
    opposed = [opposedRule(1), 'training.execution=online', fewer],
    psi = neurons('psiWidth', 1e-6),
  } = ways;
  const rows = [
    ['silent', 'silent', silent],
    ['saturated', 'saturated', saturated],
    ['rates of 1e-12', 'updates-small', all(1e-12)],
    ['rates of 1e3', 'updates-large', all(1000)],
    ['feedback of the wrong sign', 'signal-opposed', opposed],
    ['psi too narrow', 'psi-narrow', psi],
    ['4-bit weights, nearest', 'updates-lost', [`fixed={"formats":${formats}}`, fewer]],
    ['shuffled targets', 'no-information', ways.shuffled && [`task.kind=${ways.shuffled}`]],
    ['a signal that vanishes', 'signal-vanishes', ['rule.feedback=random', 'rule.feedbackScale=1e-7']],
    ['a readout that dominates', 'readout-dominates', all(ways.dominates, readouts)],
    ['a rate term too strong', 'rate-term', ways.rateTerm && [`rateTerm.strength=${ways.rateTerm}`]],
    ['nothing', null, []],
  ];
  return rows.flatMap(([name, cause, own]) =>
    own === null ? [] : [[`${source}, ${name}`, source, [...settings, ...own], cause]],
  );
}
