import {
  type EventContent,
  type FileStore,
  openRecording,
  type TimeUnit,
  type ValueContent,
} from '../../src/browser.ts';
import type { Offer } from './protocol.ts';

/** Longest trial that is offered, steps of 1 ms. */
const mostSteps = 2000;
/** Trials in a batch, and updates of the training. */
const mostStreams = 16;
const updates = 400;
/** Trials below which none are held out. */
const fewTrials = 5;

const msOf: Readonly<Record<TimeUnit, number>> = { s: 1000, ms: 1, us: 0.001, steps: 1 };

/** What a trial of a recording is, and how it is to be put in. */
interface Shape {
  /** Units of the input. */
  readonly units: number;
  /** Length of the longest trial, ms. */
  readonly lengthMs: number;
  /** Parameters of the task. */
  readonly task: object;
  /** Whether the data are spikes. */
  readonly spikes: boolean;
  /** What is in the file, in words. */
  readonly holds: string;
}

/**
 * An experiment for a recording that came without one: 50 to 200 LIF neurons learn by e-prop 1 to foretell the next step of the data.
 * @param asked unit of its times; null: as the file says, and ms where it does not say
 * @throws FileError for a file that cannot be read
 */
export function offerOf(name: string, files: FileStore, asked: TimeUnit | null): Offer {
  const recording = openRecording(name, {}, null, files);
  const timeUnit = asked ?? recording.timeUnit ?? 'ms';
  const { content, trials } = recording;
  const { units, lengthMs, task, spikes, holds } =
    content.kind === 'events' ? eventsOf(content, trials, timeUnit) : valuesOf(content);
  const durationMs = Math.max(2, Math.min(Math.ceil(lengthMs), mostSteps));
  const cut = lengthMs > durationMs;
  const streams = Math.min(mostStreams, trials);
  const split = trials < fewTrials ? { split: { kind: 'none' } } : {};
  const neurons = Math.max(50, Math.min(200, 2 * units));
  return {
    name,
    timeUnit: content.kind === 'events' && recording.timeUnit === null ? timeUnit : null,
    about: `${trials} ${trials === 1 ? 'trial' : 'trials'} of ${units} units, ${holds}${cut ? `; of every trial the first ${durationMs} of ${Math.ceil(lengthMs)} ms are used` : ''}. ${neurons} neurons would learn by e-prop 1 to foretell the next millisecond.`,
    experiment: {
      name: name.replace(/\.[^.]*$/, '') || name,
      task: { kind: 'recording', file: name, durationMs, longer: 'cut', target: { kind: 'next' }, ...task, ...split },
      network: networkOf(neurons),
      rule: { name: 'e-prop-1' },
      loss: { kind: spikes ? 'bernoulli' : 'square', scale: 'mean' },
      rateTerm: { strength: 0.5, targetHz: 20, mean: 'batch' },
      optimizer: { kind: 'adam', rates: { in: 0.003, rec: 0.003, out: 0.01 } },
      training: { total: updates * streams, streams },
      evaluation: { total: streams, streams },
    },
  };
}

function eventsOf(content: EventContent, trials: number, timeUnit: TimeUnit): Shape {
  const { ids, longest } = content.summary();
  let spikes = 0;
  for (let trial = 0; trial < trials; trial++) spikes += content.events(trial).times.length;
  // Identities with large gaps between them are names, not places.
  const sorted = (ids.at(-1) ?? 0) >= 4 * Math.max(8, ids.length);
  const units = sorted ? ids.length : (ids.at(-1) ?? 0) + 1;
  const lengthMs = Math.floor(longest * msOf[timeUnit]) + 1;
  const task = { timeUnit, units, unitIds: sorted ? 'sorted' : 'index' };
  return {
    units,
    lengthMs,
    task,
    spikes: true,
    holds: `${spikes.toLocaleString('en-GB')} spikes in ${lengthMs.toLocaleString('en-GB')} ms`,
  };
}

function valuesOf(content: ValueContent): Shape {
  const values = content.values(0);
  const units = content.width;
  const lengthMs = content.steps(0);
  if (values.every((value) => value === 0 || value === 1)) {
    return { units, lengthMs, task: { units }, spikes: true, holds: `spikes in ${lengthMs} steps` };
  }
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const coding = { kind: 'current', gain: largest === 0 ? 1 : 1 / largest };
  return { units, lengthMs, task: { units, coding }, spikes: false, holds: `values in ${lengthMs} steps` };
}

function networkOf(size: number): object {
  return {
    dtMs: 1,
    populations: { rec: { size, neuron: { kind: 'lif', membrane: { tauMs: 20 }, vTh: 0.6, nRef: 3 } } },
    projections: {
      in: { from: 'input', to: 'rec', init: { kind: 'normal', gain: 3 } },
      rec: { from: 'rec', to: 'rec', init: { kind: 'normal', gain: 1 } },
    },
    readouts: {
      out: {
        from: 'rec',
        readout: { kind: 'leaky', filter: { tauMs: 20 }, scale: '1-kappa', bias: true },
      },
    },
  };
}
