import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyFile } from '../../src/cli/verify/index.ts';
import { FileError } from '../../src/core/errors.ts';
import { scratchFolder } from '../record/scratch.ts';

type Json = { [key: string]: Json } | Json[] | number | string | null;

const folder = import.meta.dirname;
const bptt = [
  'total_learning_signal',
  'total_learning_signal_reset_detached',
  'gradients.bptt_full',
  'gradients.bptt_reset_detached',
];

interface Golden {
  readonly name: string;
  readonly unchecked: readonly string[];
  readonly spikes: RegExp;
  /** Places of numbers to spoil, one or more of every kind of quantity. */
  readonly spoil: readonly string[];
}

const files: readonly Golden[] = [
  {
    name: 'eprop-alif-small.json',
    unchecked: bptt,
    spikes: /^z$/,
    spoil: [
      'v.1.9.2',
      'a.1.20.3',
      'threshold.0.30.4',
      'psi.1.10.2',
      'y.0.39.1',
      'refractory_before.*',
      'loss',
      'z.*',
      'learning_signal_symmetric.0.33.2',
      'learning_signal_random.0.31.1',
      'traces_input.epsv.*',
      'traces_input.epsa.*',
      'traces_input.e.*',
      'traces_input.ebar.*',
      'traces_recurrent.epsv.*',
      'traces_recurrent.epsa.*',
      'traces_recurrent.e.*',
      'traces_recurrent.ebar.*',
      'gradients.eprop_symmetric.w_in.*',
      'gradients.eprop_symmetric.w_rec.*',
      'gradients.eprop_symmetric.w_out.*',
      'gradients.eprop_random.w_in.*',
      'gradients.eprop_random.w_rec.*',
      'gradients.eprop_symmetric_reset_in_trace.w_rec.*',
      'gradients.eprop_symmetric_unfiltered_trace.w_in.*',
      'gradients.firing_rate_reg.w_in.*',
      'gradients.firing_rate_reg.w_rec.*',
      'cumulative_eprop_symmetric_w_in_at_t.9.*',
      'cumulative_eprop_symmetric_w_rec_at_t.39.*',
      'w_in.*',
      'w_rec.0.1',
      'w_out.*',
      'feedback_random.*',
      'params.alpha',
    ],
  },
  {
    name: 'eprop-lif-softmax-small.json',
    unchecked: bptt,
    spikes: /^z$/,
    spoil: [
      'softmax.*',
      'output_error.*',
      'loss',
      'v.*',
      'psi.*',
      'y.*',
      'learning_signal_random.*',
      'traces_recurrent.ebar.*',
      'gradients.eprop_symmetric.w_rec.*',
      'cumulative_eprop_symmetric_w_rec_at_t.34.*',
      'params.thr',
    ],
  },
  {
    name: 'eprop-nest-pattern-generation.json',
    unchecked: [],
    spikes: /^$/,
    spoil: [
      'loss_own.3',
      'loss_nest.4',
      'gradient_norms_w_in_w_rec_w_out.0.0',
      'mean_rate_hz.1',
      'params.optimizer.eta',
    ],
  },
  {
    name: 'nest-eprop-small.json',
    unchecked: [],
    spikes: /\.spike_times$/,
    spoil: [
      'cases.mse_gd.result.v_rec.*',
      'cases.mse_gd.result.psi_rec.*',
      'cases.ce_adam.result.threshold_alif.*',
      'cases.ce_adam.result.adaptation_alif.*',
      'cases.ce_adam.result.error.*',
      'cases.ce_adam.result.readout.*',
      'cases.mse_gd_batch2_zeta.result.v_out.*',
      'cases.mse_gd_batch2_zeta.result.loss.*',
      'cases.mse_gd.result.spike_times.*',
      'cases.mse_gd.result.weights_after.0.W_in.*',
      'cases.mse_gd_batch2_zeta.result.weights_after.3.W_rec.*',
      'cases.ce_adam.result.weights_after.3.W_out.*',
      'cases.mse_gd.spec.optimizer.eta',
    ],
  },
];

describe.each(files)('verify $name', ({ name, unchecked, spikes }) => {
  const verdict = verifyFile(join(folder, name));

  it('passes', () => {
    expect(verdict.quantities.filter((q) => q.checked && !((q.worst ?? 1) <= (q.tolerance ?? 0)))).toEqual([]);
    expect(verdict.pass).toBe(true);
  });

  it('checks every quantity that needs no backpropagation through time', () => {
    expect(verdict.quantities.filter((q) => !q.checked).map((q) => q.name)).toEqual(unchecked);
    const checked = verdict.quantities.filter((q) => q.checked).map((q) => q.name);
    const missed = results(read(name)).filter(
      (want) => !checked.some((got) => got === want || got.startsWith(`${want} (`)),
    );
    expect(missed.filter((want) => !unchecked.some((skipped) => want.startsWith(skipped)))).toEqual([]);
    expect(checked.length).toBeGreaterThanOrEqual(5);
  });

  it('allows no spike to differ, and nothing else more than the stated tolerances', () => {
    for (const q of verdict.quantities.filter((quantity) => quantity.checked)) {
      if (spikes.test(q.name)) expect(q.tolerance, q.name).toBe(0);
      else expect(q.tolerance, q.name).toBeLessThanOrEqual(q.name === 'loss_tensorflow' ? 1e-6 : 1e-8);
    }
  });
});

describe.each(files)('verify a spoiled $name', ({ name, spoil }) => {
  it.each(spoil)('fails where %s is changed by 1e-6', (path) => {
    const content = read(name);
    spoilAt(content, path.split('.'));
    const verdict = verifyFile(write(name, JSON.stringify(content)));
    expect(verdict.pass).toBe(false);
  });
});

describe('verify refuses', () => {
  it.each([
    ['a file that is not JSON', '{"meta":', /is not JSON/],
    ['an unknown kind', '{"meta":{"kind":"tarot"}}', /unknown kind "tarot"; known are eprop-network/],
    ['a file without a kind', '{}', /unknown kind none/],
    ['a file that holds null', 'null', /unknown kind none/],
    ['a kind without its content', '{"meta":{"kind":"eprop-network"}}', /cannot be used as eprop-network/],
  ])('%s', (_what, text, message) => {
    const path = write('odd.json', text);
    expect(() => verifyFile(path)).toThrow(FileError);
    expect(() => verifyFile(path)).toThrow(message);
    expect(() => verifyFile(path)).toThrow(path);
  });

  it('a file that is not there', () => {
    expect(() => verifyFile(join(folder, 'nowhere.json'))).toThrow(/cannot be read \(ENOENT\)/);
  });
});

function read(name: string): Json {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json;
}

/** Blocks of a golden file that describe the network and its trials; all others are results. */
const given = ['meta', 'params', 'w_in', 'w_rec', 'w_out', 'x', 'target', 'labels', 'trials', 'order'];

/** Names of all results of a file: the paths of its arrays and single numbers, up to the first index. */
function results(node: Json, path: readonly string[] = []): string[] {
  const key = path[path.length - 1];
  if (path.length === 1 && (given.includes(key) || key.startsWith('feedback'))) return [];
  if (path[0] === 'cases' && path[2] === 'spec') return [];
  if (key === 'learning_signal_mismatch') return [];
  const listOfBlocks = Array.isArray(node) && key === 'weights_after';
  const isBlock = node !== null && typeof node === 'object' && (listOfBlocks || !Array.isArray(node));
  if (!isBlock) return [path.filter((part) => part !== 'cases' && part !== 'result').join('.')];
  return Object.entries(node).flatMap(([name, value]) => results(value, [...path, name]));
}

function write(name: string, text: string): string {
  const path = join(scratchFolder(), name);
  writeFileSync(path, text);
  return path;
}

/** Changes one number by 1e-6 of itself; `*` stands for the largest number below. A spike (0, 1, or a step) moves by one. */
function spoilAt(content: Json, path: readonly string[]): void {
  let node = content;
  for (let d = 0; d < path.length - 1; d++) {
    if (path[d] === '*') break;
    node = child(node, path[d]);
  }
  const last = path[path.length - 1];
  const [holder, key] = last === '*' ? largestBelow(node) : [node, last];
  const value = child(holder, key);
  if (typeof value !== 'number' || value === 0) throw new Error(`no number to spoil at ${path.join('.')}`);
  const spoiled = Number.isInteger(value) && path.includes('z') ? 1 - value : value * (1 + 1e-6);
  (holder as Record<string, Json>)[key] = path.includes('spike_times') ? value - 1 : spoiled;
}

function child(node: Json, key: string): Json {
  if (node === null || typeof node !== 'object') throw new Error(`nothing at "${key}"`);
  return (node as Record<string, Json>)[key];
}

function largestBelow(node: Json): [Json, string] {
  let best: [Json, string] = [node, ''];
  let most = 0;
  const visit = (at: Json) => {
    if (at === null || typeof at !== 'object') return;
    for (const [key, value] of Object.entries(at)) {
      if (typeof value === 'number' && Math.abs(value) > most) {
        most = Math.abs(value);
        best = [at, key];
      } else visit(value);
    }
  };
  visit(node);
  return best;
}
