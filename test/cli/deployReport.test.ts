import { describe, expect, it } from 'vitest';
import { demandOf, deploy, profiles } from '../../hardware/index.ts';
import { accuracyFigure, page } from '../../src/cli/deploy/page.ts';
import { operationNote, type Report, stateRows } from '../../src/cli/deploy/report.ts';
import { details, measured, verdicts } from '../../src/cli/deploy/text.ts';
import type { Accuracy } from '../../src/index.ts';
import { network } from '../hardware/demands.ts';
import { graphExperiment } from '../support/graphs.ts';

const accuracy: Accuracy = {
  measure: 'loss per step',
  seeds: [1, 2],
  versions: [
    { version: 'float', losses: [1, 2], mean: 1.5, sd: Math.SQRT1_2 },
    { version: 'structure', losses: [1.5, 2], mean: 1.75, sd: 0.25 },
    { version: 'fixed', losses: [2, 3], mean: 2.5, sd: Math.SQRT1_2 },
  ],
  approximations: [
    { what: 'no output filter on the trace', setting: 'rule.readoutFilter=false' },
    { what: 'the signal one step late', setting: null },
  ],
  statistics: [
    {
      field: 'projection.in.weights',
      format: { bits: 8, fraction: 7, signed: true, rounding: 'stochastic', overflow: 'saturate' },
      tried: 200,
      fired: 50,
      lost: 150,
      saturated: 2,
      wrapped: 0,
      flushed: 0,
      smallest: -1,
      largest: 1,
    },
  ],
  parting: {
    steps: 100,
    value: { step: 3, field: 'population.rec.v', index: [0, 7], float: 0.5, fixed: 0.25, formatStep: 0.125 },
    spike: null,
  },
};

const { spec } = network({ name: 'bptt' }, { readout: { filter: { decay: 0.9 } } }).run.network;
const [reckon] = profiles;
const deployment = { ...deploy(demandOf(spec, { rateHz: 20 }), reckon), accuracy };
const report: Report = { experiment: 'a <b>', rule: 'bptt', deployments: [deployment] };

describe('the report of a deployment', () => {
  it('has verdict, checks, state of inference and of learning, operations and energy in text', () => {
    expect(verdicts([deployment])).toMatch(/reckon +does not fit +3 of 1 core +\d+\.\d % +form of the rule/);
    const text = details(deployment);
    for (const { name } of deployment.checks) expect(text).toContain(name);
    expect(text).toMatch(/inference +population\.rec\.v +post +256 +16 +512/);
    expect(text).toMatch(/learning +past\.rec\.psi +post +1280 +16 +2560/);
    expect(text).toMatch(/multiply-adds +\d/);
    expect(text).toMatch(/inference \d+ bytes, learning \d+ more \(\d+\.\d %\), on 3 of 1 core\n/);
    expect(text).toMatch(/cores +neurons +synapses +bytes +of 139264 bytes +axons +fan-in +delay, steps +full by/);
    expect(text).toMatch(/0-1 +rec 0-179 \(90 each\) +46080 +138240 +99\.3 % +512 +512 +1 +synapse memory/);
    expect(text).toMatch(/2 +rec 180-255, readout out 0-15 +43008 +120832 +86\.8 % +512 +512 +1 +-/);
    expect(operationNote(deployment)).toMatch(
      /^at 20 Hz \(as given\) 2703\.4 synaptic events a step; 14328 to .* pJ a step, 5\.3 pJ an event \(doc: repository/,
    );
    expect(stateRows(deployment).head.at(-1)).toBe('what');
  });

  it('has the state of a projection in one row, whatever its delays', () => {
    const recurrent = { delayMs: { kind: 'uniform', low: 1, high: 3 } };
    const graph = graphExperiment({
      task: { kind: 'live', steps: 5, inputs: 4, outputs: 1 },
      network: {
        populations: { rec: { size: 6, neuron: { kind: 'lif' } } },
        projections: { in: { from: 'input', to: 'rec' }, rec: { from: 'rec', to: 'rec', ...recurrent } },
        readouts: { out: { from: 'rec', readout: { kind: 'leaky', filter: { decay: 0.9 } } } },
      },
      rule: { name: 'e-prop-1' },
      optimizer: { kind: 'sgd', rates: { in: 0.1, rec: 0.1, out: 0.1 } },
      training: { total: 1, execution: 'online', update: { unit: 'step' } },
    }).run.network.spec;
    const got = deploy(demandOf(graph), reckon);
    expect(got.inventory.filter(({ whole }) => whole === 'projection.rec.trace.eBar').map(({ name }) => name)).toEqual(
      [1, 2, 3].map((delay) => `projection.rec@${delay}.trace.eBar`),
    );
    const rows = stateRows(got).rows.filter(([, name]) => name.startsWith('projection.rec'));
    expect(rows.map(([, name, home, count, bits, bytes]) => [name, home, count, bits, bytes])).toEqual([
      ['projection.rec.trace.eps', 'pre', '18', '12', '27'],
      ['projection.rec.trace.eBar', 'synapse', '30', '12', '45'],
    ]);
  });

  it('has losses, approximations, where numbers part, and what the formats did', () => {
    const text = measured(deployment);
    expect(text).toMatch(/fixed +2\.5 +0\.70711 +2 +3/);
    expect(text).toContain(
      'structure: no output filter on the trace (rule.readoutFilter=false), the signal one step late (the rule has no such setting: not done)',
    );
    expect(text).toContain(
      'first parting at step 3: population.rec.v[0, 7] is 0.5 in float and 0.25 in fixed point, more than one step of 0.125 apart',
    );
    expect(text).toContain('no spike differs in 100 steps');
    expect(text).toMatch(/projection\.in\.weights +8 +2\^-7 +200 +75\.0 % +1\.0 %/);
    expect(measured(deploy(demandOf(spec), reckon))).toBe('');
  });

  it('is a page with all of that and a figure', () => {
    const html = page(report);
    expect(html).toContain('<h1>a &lt;b&gt;, rule bptt</h1>');
    expect(html).toContain('<summary>reckon: does not fit</summary>');
    expect(html).toContain('first parting at step 3: population.rec.v[0, 7]');
    for (const name of ['random draws', 'readout out 0-15', 'arithmetic width', 'past.error', 'projection.in.weights'])
      expect(html).toContain(name);
    const png = Buffer.from(/src="data:image\/png;base64,([^"]+)"/.exec(html)?.[1] ?? '', 'base64');
    expect(png).toEqual(Buffer.from(accuracyFigure('reckon', accuracy)));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    const other = accuracyFigure('reckon', { ...accuracy, versions: [...accuracy.versions].reverse() });
    expect(Buffer.from(other).equals(png)).toBe(false);
    expect(page({ ...report, deployments: [deploy(demandOf(spec), reckon)] })).not.toContain('<img');
  });
});
