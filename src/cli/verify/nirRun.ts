import { FileError } from '../../core/errors.ts';
import type { ReadoutSpec } from '../../core/network.ts';
import { type Rows, rowAt } from '../../core/rows.ts';
import {
  experimentOf,
  graphOfTree,
  interpret,
  type NirExperiment,
  parseConvention,
  readGraph,
  type Topology,
  treeOfJson,
  unitGraphOf,
} from '../../nir/index.ts';
import { nirConfig, putNirWeights } from '../nirWeights.ts';
import { givenExperiment, runOnce } from './given.ts';
import { compare, compareAbsolute, flatten, notChecked, type Quantity, type Subject } from './report.ts';

interface Expected {
  readonly binary?: boolean;
  readonly spikes?: readonly (readonly (number | readonly [number, number])[])[];
  readonly v?: readonly (readonly number[])[];
}

/** A golden file of kind `nir-run`: the tree of a NIR file, and what a framework made of an input with it. */
export interface NirRunFile {
  readonly meta: { readonly tolerance: string };
  readonly run: {
    /** null where the file says that none reproduces it. */
    readonly convention: unknown;
    readonly input: {
      readonly shape: readonly number[];
      readonly spikes?: readonly (readonly number[])[];
      readonly values?: readonly (readonly number[])[];
    };
    readonly expected: Readonly<Record<string, Expected>>;
    readonly check_by_own_numpy_simulation?: unknown;
  };
  readonly hdf5: unknown;
  /** What has to be refused, and why. */
  readonly refuse?: unknown;
}

/** What became of a node, in the rows of the file: [step][neuron]. */
interface Got {
  readonly output: readonly Float64Array[];
  readonly v: readonly Float64Array[] | null;
}

const known = {
  top: ['meta', 'run', 'hdf5', 'refuse'],
  run: ['convention', 'input', 'expected', 'check_by_own_numpy_simulation'],
  input: ['shape', 'spikes', 'values'],
  node: ['binary', 'spikes', 'v'],
} as const;

/** Runs the graph of the file as an imported experiment where the engine has such neurons, else by the interpreter, and says which. */
export function verifyNirRun(file: NirRunFile, subject: Subject): Quantity[] {
  onlyKnown(file, known.top, 'the file');
  onlyKnown(file.run, known.run, 'run');
  onlyKnown(file.run.input, known.input, 'run.input');
  for (const [name, node] of Object.entries(file.run.expected)) onlyKnown(node, known.node, `run.expected.${name}`);
  const beside =
    file.run.check_by_own_numpy_simulation === undefined
      ? []
      : [notChecked('check_by_own_numpy_simulation', 'what another simulation of the file has measured')];
  if (file.refuse !== undefined || file.run.convention === null) return [...refusal(file), ...beside];
  const { topology, got, how } = ran(file, subject);
  const steps = file.run.input.shape[0];
  const quantities = Object.entries(file.run.expected).flatMap(([name, expected]) => {
    const found = got.get(name);
    if (!topology.places.has(name) || !found)
      throw new FileError(`run.expected.${name}`, 'is no node of the graph that gives anything');
    return quantitiesOf(name, expected, found, steps, toleranceOf(file), subject);
  });
  return [...quantities, how, ...beside];
}

function onlyKnown(object: object, keys: readonly string[], path: string): void {
  const odd = Object.keys(object).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new FileError(path, `has the unknown field "${odd}"; known are ${keys.join(', ')}`);
}

/** A file that is to be refused: it passes where reading or running it ends in an error that says why. */
function refusal(file: NirRunFile): Quantity[] {
  let why = '';
  try {
    if (file.run.convention === null)
      throw new FileError('run.convention', 'is null: no convention reproduces this file');
    ran(file, { backend: 'reference', tolerance: (exact) => exact });
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  const skipped = Object.keys(file.run.expected).map((name) => notChecked(name, 'the file is to be refused'));
  const where = why === '' ? `ran, but is to be refused: ${JSON.stringify(file.refuse)}` : why;
  return [{ name: 'refused', checked: true, worst: why === '' ? 1 : 0, tolerance: 0, where }, ...skipped];
}

function ran(file: NirRunFile, subject: Subject): { topology: Topology; got: ReadonlyMap<string, Got>; how: Quantity } {
  const convention = parseConvention(file.run.convention, 'run.convention');
  const topology = readGraph(graphOfTree(treeOfJson(file.hdf5, 'hdf5'), 'hdf5'), convention, 'hdf5');
  const x = inputOf(file);
  let experiment: NirExperiment | null = null;
  let why = '';
  try {
    experiment = experimentOf(unitGraphOf(topology, convention, new Set(['convolution'])), convention);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'UnsupportedError') throw error;
    why = error.message;
  }
  if (!experiment) {
    return {
      topology,
      got: interpret(topology, convention, x),
      how: notChecked('engine', `interpreter, not the engine: ${why}`),
    };
  }
  const how = notChecked('interpreter', 'the numbers are those of an imported experiment on the engine');
  return { topology, got: onEngine(experiment, x, subject), how };
}

/** [step][entry], row-major over the shape of the input. */
function inputOf({ run: { input } }: NirRunFile): Float64Array[] {
  const [steps, ...lengths] = input.shape;
  const width = lengths.reduce((product, length) => product * length, 1);
  const rows = input.values ?? input.spikes;
  if (!rows || rows.length !== steps || (input.values && input.spikes)) {
    throw new FileError('run.input', `expected either spikes or values of ${steps} steps`);
  }
  return rows.map((row, t) => {
    if (input.spikes) {
      const x = new Float64Array(width);
      for (const i of row) {
        if (!(Number.isInteger(i) && i >= 0 && i < width))
          throw new FileError(`run.input.spikes[${t}]`, `names ${i}, expected 0 to ${width - 1}`);
        x[i] = 1;
      }
      return x;
    }
    if (row.length !== width || !row.every(Number.isFinite))
      throw new FileError(`run.input.values[${t}]`, `expected ${width} finite numbers`);
    return Float64Array.from(row);
  });
}

/** Runs an imported experiment on the input of the file. */
function onEngine(imported: NirExperiment, x: readonly Float64Array[], subject: Subject): ReadonlyMap<string, Got> {
  const trial = {
    x: x.map((row) => Array.from(row)),
    target: x.map(() => new Array<number>(imported.nOut).fill(0)),
  };
  const experiment = givenExperiment({ ...nirConfig(imported), backend: subject.backend }, [trial]);
  const { network } = experiment.run;
  putNirWeights(imported, network);
  const steps = x.length;
  const membranes = new Map<string, Float64Array[]>(
    Object.keys(imported.network.populations).map((name) => [name, []]),
  );
  const populations = network.spec.populations;
  runOnce(
    experiment,
    () => {
      for (const { name, size } of populations) {
        membranes.get(name)?.push(Float64Array.from(network.state.field(`population.${name}.v`).subarray(0, size)));
      }
    },
    { learn: false },
  );
  const rowsOf = (rows: Rows, from: number, size: number) =>
    Array.from({ length: steps }, (_, t) => {
      const at = rowAt(rows, 0, t) + from;
      return Float64Array.from(rows.data.subarray(at, at + size));
    });
  const got = new Map<string, Got>();
  for (const [name, place] of imported.places) {
    if (place.population !== null) {
      const p = populations.findIndex((population) => population.name === place.population);
      const spikes = rowsOf(network.activity[p].z, 0, populations[p].size);
      const v = (membranes.get(place.population) ?? []).map((row, t) => afterSpikes(row, spikes[t], place.after));
      got.set(name, { output: late(spikes, place.lag), v });
      continue;
    }
    const { column, size } = network.spec.readouts.find((readout) => readout.name === place.readout) as ReadoutSpec;
    const y = late(rowsOf(network.trial.y, column, size), place.lag);
    got.set(name, { output: y, v: y });
  }
  return got;
}

function afterSpikes(
  v: Float64Array,
  z: Float64Array,
  after: { by: Float64Array } | { to: Float64Array } | null | undefined,
) {
  if (!after) return v;
  return v.map((value, j) => (z[j] === 0 ? value : 'by' in after ? value - after.by[j] : after.to[j]));
}

/** Rows so many steps later, zeros before. */
function late(rows: readonly Float64Array[], steps: number): Float64Array[] {
  return rows.map((row, t) => rows[t - steps] ?? row.map(() => 0));
}

/** The tolerance that a file states for v, a share of max(1, max |v|). */
function toleranceOf({ meta }: NirRunFile): number {
  const share = Number(/\bv\s+([0-9.eE+-]+) times max\(1/u.exec(meta.tolerance)?.[1]);
  if (!(share > 0))
    throw new FileError(
      'meta.tolerance',
      `got ${JSON.stringify(meta.tolerance)}, expected "spikes equal; v 1e-6 times max(1, max |v|)"`,
    );
  return share;
}

function quantitiesOf(
  name: string,
  expected: Expected,
  got: Got,
  steps: number,
  share: number,
  subject: Subject,
): Quantity[] {
  const out: Quantity[] = [];
  if (expected.spikes) {
    const width = got.output[0]?.length ?? 0;
    const want = Array.from({ length: steps }, () => new Array<number>(width).fill(0));
    expected.spikes.forEach((row, t) => {
      for (const entry of row) {
        const [j, count] = typeof entry === 'number' ? [entry, 1] : entry;
        if (!(j >= 0 && j < width))
          throw new FileError(`run.expected.${name}.spikes[${t}]`, `names neuron ${j} of ${width}`);
        want[t][j] = count;
      }
    });
    out.push(compare(`${name} spikes`, flatten(got.output.map((row) => Array.from(row))), want, 0));
  }
  if (expected.v) {
    if (!got.v) throw new FileError(`run.expected.${name}.v`, 'is of a node without a membrane');
    const largest = flatten(expected.v).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    out.push(
      compareAbsolute(
        `${name} v`,
        flatten(got.v.map((row) => Array.from(row))),
        expected.v,
        subject.tolerance(share) * largest,
      ),
    );
  }
  return out;
}
