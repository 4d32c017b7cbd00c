import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/core/errors.ts';
import { checkpointConfig, encodeCheckpoint, restoreCheckpoint } from '../../src/engine/checkpoint.ts';
import { doTrial, type LiveOptions, liveExperiment, liveNeurons } from '../support/live.ts';

function trained(options: LiveOptions = {}) {
  const experiment = liveExperiment({ optimizer: { kind: 'adam' }, ...options });
  experiment.train({ until: 6 });
  return experiment;
}

describe('a checkpoint', () => {
  it.each(liveNeurons)('brings back state and clock, bit for bit, $label', (neuron) => {
    const experiment = trained({ neuron });
    const bytes = experiment.checkpoint();
    const other = liveExperiment({ optimizer: { kind: 'adam' }, neuron, seed: 99 });
    expect(other.run.network.state.data).not.toBeBitEqual(experiment.run.network.state.data);
    other.restore(bytes);
    expect(other.run.network.state.data).toBeBitEqual(experiment.run.network.state.data);
    expect(other.run.clock).toEqual(experiment.run.clock);
    expect(other.run.clock.updates).toBe(3);
  });

  it('holds the configuration that it was made with', () => {
    const experiment = trained();
    expect(checkpointConfig(experiment.checkpoint(), 'x')).toEqual(JSON.parse(JSON.stringify(experiment.config)));
  });

  it('is read from any place in a buffer', () => {
    const experiment = trained();
    const bytes = experiment.checkpoint();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const other = liveExperiment({ optimizer: { kind: 'adam' } });
    other.restore(shifted.subarray(3));
    expect(other.run.network.state.data).toBeBitEqual(experiment.run.network.state.data);
  });

  it.each([
    [
      'another number of neurons',
      { network: { neurons: 6 } },
      /holds another network: field projection\.in\.weights\[35\] where projection\.in\.weights\[30\]/,
    ],
    [
      'another neuron',
      { neuron: liveNeurons.find(({ label }) => label === 'rate') },
      /holds another network: field missing where population\.rec\.u\[2,7\] is expected/,
    ],
    [
      'another optimiser',
      { optimizer: { kind: 'sgd' } },
      /holds another network: field projection\.in\.mean\[35\] where none/,
    ],
    [
      'another rule',
      { rule: { name: 'readout-only' } },
      /holds another network: field population\.rec\.signal\.B\[7,3\] where none/,
    ],
  ])('is refused by a run with %s, which stays as it was', (_what, options, message) => {
    const bytes = trained().checkpoint();
    const other = liveExperiment({ optimizer: { kind: 'adam' }, ...options });
    const before = Float64Array.from(other.run.network.state.data);
    expect(() => other.restore(bytes, 'some/file')).toThrow(FileError);
    expect(() => other.restore(bytes, 'some/file')).toThrow(message);
    expect(() => other.restore(bytes, 'some/file')).toThrow(/^some\/file: /);
    expect(other.run.network.state.data).toBeBitEqual(before);
    expect(other.run.clock.trial).toBe(0);
  });

  it.each([
    ['nothing at all', () => new Uint8Array(0), 'is too short for a checkpoint'],
    ['three bytes', (bytes: Uint8Array) => bytes.slice(0, 3), 'is too short for a checkpoint'],
    ['half a header', (bytes: Uint8Array) => bytes.slice(0, 40), 'is too short for a checkpoint'],
    ['a byte less', (bytes: Uint8Array) => bytes.slice(0, -1), 'bytes of state, expected'],
    ['a byte more', (bytes: Uint8Array) => Uint8Array.from([...bytes, 0]), 'bytes of state, expected'],
    [
      'a spoiled header',
      (bytes: Uint8Array) => bytes.map((byte, s) => (s === 6 ? 0 : byte)),
      'has a header that is not JSON',
    ],
    ['a length beyond the file', (bytes: Uint8Array) => bytes.map((byte, s) => (s === 3 ? 127 : byte)), 'is too short'],
    ['a field more', renamed('"fields":[', '"fields":[{"name":"x","shape":[1]},'), 'holds another network: field x[1]'],
    [
      'single precision',
      renamed('"element":"float64"', '"element":"float32"'),
      'holds float32 numbers, this run has float64',
    ],
  ])('is refused where it is damaged: %s', (_what, damage, message) => {
    const experiment = trained();
    const { run } = liveExperiment({ optimizer: { kind: 'adam' } });
    const bytes = damage(experiment.checkpoint());
    expect(() => restoreCheckpoint(run, bytes, 'some/file')).toThrow(FileError);
    expect(() => restoreCheckpoint(run, bytes, 'some/file')).toThrow(message);
  });
});

/** A checkpoint with a text of its header replaced, its length kept true. */
function renamed(from: string, to: string): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const header = new TextDecoder().decode(bytes.subarray(4, 4 + length)).replace(from, to);
    const text = new TextEncoder().encode(header);
    const start = Math.ceil((4 + text.length) / 8) * 8;
    const state = bytes.subarray(Math.ceil((4 + length) / 8) * 8);
    const changed = new Uint8Array(start + state.length);
    new DataView(changed.buffer).setUint32(0, text.length, true);
    changed.set(text, 4);
    changed.set(state, start);
    return changed;
  };
}

it('keeps a gradient that waits for its update', () => {
  const experiment = liveExperiment();
  doTrial(experiment);
  const other = liveExperiment();
  restoreCheckpoint(other.run, encodeCheckpoint(experiment.run, null), 'x');
  expect(other.run.network.gradient.in).toBeBitEqual(experiment.run.network.gradient.in);
  expect(other.run.network.gradient.in.some((g) => g !== 0)).toBe(true);
});
