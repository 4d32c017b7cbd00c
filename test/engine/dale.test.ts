import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import type { NetworkSpec } from '../../src/core/network.ts';
import type { Projection } from '../../src/core/projection.ts';
import { createRng } from '../../src/core/rng.ts';
import { buildProjection } from '../../src/engine/projections.ts';
import { applySettings, createExperiment, preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const dense = { kind: 'dense' } as const;

function build(backend: string, ...settings: string[]) {
  const config = applySettings(preset('pattern-generation'), [
    `backend=${backend}`,
    'task.steps=100',
    'task.inputs=20',
    'network.neurons=30',
    'network.input.bias=0.001',
    'network.input.dale.excitatory=0.6',
    'network.recurrent.dale.excitatory=0.8',
    'optimizer.rates={"in":0.02,"rec":0.02,"out":0.001}',
    'training.total=6',
    ...settings,
  ]);
  return createExperiment(config, { ...models, tasks });
}

function synapsesOf({ projections }: NetworkSpec, name: string): Projection {
  return projections.find((projection) => projection.name === name)?.synapses as Projection;
}

describe('signs', () => {
  it('are as many as asked for, drawn from all neurons; a bias is free', () => {
    const shape = {
      nPre: 20,
      nPost: 4,
      autapses: true,
      bias: true,
      recurrent: false,
      connectivity: dense,
      dale: { excitatory: 0.7, balanced: false },
    };
    const signs = buildProjection(shape, createRng(1)).signs ?? [];
    expect(Array.from(signs).filter((sign) => sign === 1)).toHaveLength(14);
    expect(Array.from(signs).filter((sign) => sign === -1)).toHaveLength(6);
    expect(signs[20]).toBe(0);
    expect(buildProjection(shape, createRng(2)).signs).not.toEqual(signs);
    expect(buildProjection({ ...shape, dale: null }, createRng(1)).signs).toBe(null);
  });

  it('balanced: the weights that a neuron receives add up to 0 in the mean, with the variance of free ones', () => {
    const signs = buildProjection(
      {
        nPre: 50,
        nPost: 1,
        autapses: true,
        bias: false,
        recurrent: false,
        connectivity: dense,
        dale: { excitatory: 0.8, balanced: true },
      },
      createRng(1),
    ).signs;
    const factors = Array.from(signs ?? []);
    expect(new Set(factors)).toEqual(new Set([0.5, -2]));
    expect(factors.reduce((sum, factor) => sum + factor, 0)).toBe(0);
    expect(factors.reduce((sum, factor) => sum + factor * factor, 0)).toBe(50);
  });

  it('not balanced: leave the size of the first weights as it is', () => {
    const unbalanced = ['network.input.dale.balanced=false', 'network.recurrent.dale.balanced=false'];
    const [free, signed] = [
      build('reference', 'network.recurrent.dale=null', 'network.input.dale=null'),
      build('reference', ...unbalanced),
    ];
    for (const name of ['in', 'rec']) {
      const of = (e: typeof free) => Array.from(e.run.network.weights[name]);
      expect(of(signed).map(Math.abs)).toEqual(of(free).map(Math.abs));
      expect(of(signed)).not.toEqual(of(free));
    }
  });
});

const sparse = 'network.recurrent.connectivity={"kind":"in-degree","n":7}';
const clamped = 'optimizer.clamp=[-0.05,0.04]';
const adam = 'optimizer={"kind":"adam","rates":{"in":0.003,"rec":0.003,"out":0.003}}';

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  it.each([[[]], [[sparse]], [[clamped]], [[adam]]])('no weight changes its sign over a run: %j', (settings) => {
    const experiment = build(backend, ...settings);
    const { weights, spec } = experiment.run.network;
    const start = weights.rec.slice();
    for (const _ of experiment.trainTrials()) {
      for (const name of ['in', 'rec']) {
        const { rowStart, nPre, signs } = synapsesOf(spec, name);
        for (let i = 0; i < nPre; i++) {
          const row = Array.from(weights[name].subarray(rowStart[i], rowStart[i + 1]));
          expect(row.every((w) => w * (signs?.[i] ?? 0) >= 0)).toBe(true);
        }
      }
    }
    expect(weights.rec.some((w, s) => w === 0 && start[s] !== 0)).toBe(true);
    expect(weights.rec.some((w, s) => w !== 0 && w !== start[s])).toBe(true);
    // The bias started above 0.
    expect(weights.in.subarray(20 * 30).some((w) => w < 0)).toBe(true);
  });
});

it.each([[[]], [[sparse, clamped]]])('both backends end at the same weights: %j', (settings) => {
  const [got, want] = ['wasm', 'reference'].map((backend) => {
    const experiment = build(backend, ...settings);
    experiment.train({ until: 3 });
    return experiment.run.network.weights;
  });
  for (const name of ['in', 'rec', 'out']) expect(got[name], name).toBeClose(want[name], { relative: 1e-3 });
});
