import { FileError } from '../core/errors.ts';
import { checkedEvents, checkedLabels, type Recording, summaryOf, valueRecording } from './content.ts';
import type { Hdf5File } from './hdf5.ts';
import { type Names, nameIn, nameOf } from './names.ts';
import { allOf, inOrder, type NumberArray } from './numbers.ts';

/** A variable as MATLAB has it: HDF5 has its axes in the other order. Read whole when it is first asked for. @throws FileError */
export function matlabArray(file: Hdf5File, name: string): NumberArray {
  const array = file.array(name);
  const shape = [...array.shape].reverse();
  let whole: Float64Array | null = null;
  return {
    path: array.path,
    shape,
    read(from, count) {
      whole ??= inOrder(allOf(array), shape);
      return whole.slice(from, from + count);
    },
  };
}

/** A cell of lists of numbers. */
export interface MatlabCell {
  /** As MATLAB has it. */
  readonly shape: readonly number[];
  /** The list at a place, places in the order of the file: the first axis of MATLAB fastest. @throws FileError */
  read(place: number): Float64Array;
}

/** An empty list is a data set of its sizes, with a mark. @throws FileError for a variable that is no cell */
export function matlabCell(file: Hdf5File, name: string): MatlabCell {
  const { shape, names } = file.references(name);
  return {
    shape: [...shape].reverse(),
    read(place) {
      const target = names[place].replace(/^\//, '');
      return file.attribute(target, 'MATLAB_empty') === 1 ? new Float64Array(0) : allOf(file.array(target));
    },
  };
}

/**
 * A variable [trial][step][unit] or [step][unit] of values, or a cell of times: {trial, unit}, or those of the units of one trial where it has one
 * row or one column. @throws FileError
 */
export function matlabRecording(file: Hdf5File, names: Names): Recording {
  const there = file.names('').filter((name) => file.isDataSet(name));
  const labelName = nameOf('labels', names, there, file.path);
  const labels = labelName === null ? null : matlabArray(file, labelName);
  const cells = there.filter((name) => file.kindOf(name) === 'references');
  const arrays = there.filter((name) => name !== labelName && !cells.includes(name));
  if (names.times !== null || (names.values === null && arrays.length === 0)) {
    return cellRecording(file, nameIn('times', names, names.times === null ? cells : there, file.path, cells), labels);
  }
  return valueRecording(
    matlabArray(file, nameIn('values', names, names.values === null ? arrays : there, file.path, arrays)),
    labels,
  );
}

function cellRecording(file: Hdf5File, name: string, labels: NumberArray | null): Recording {
  const cell = matlabCell(file, name);
  const path = `${file.path}: ${name}`;
  if (cell.shape.length !== 2) throw new FileError(path, `is a cell with ${cell.shape.length} axes, expected 2`);
  const isVector = cell.shape.includes(1);
  const [trials, units] = isVector ? [1, Math.max(...cell.shape)] : cell.shape;
  const events = (trial: number) => {
    const found: { time: number; unit: number }[] = [];
    for (let unit = 0; unit < units; unit++) {
      for (const time of cell.read(trial + unit * trials)) found.push({ time, unit });
    }
    found.sort((a, b) => a.time - b.time);
    const times = Float64Array.from(found, ({ time }) => time);
    return checkedEvents({ times, units: Float64Array.from(found, ({ unit }) => unit) }, path, trial);
  };
  const ids = Float64Array.from({ length: units }, (_, unit) => unit);
  return {
    path,
    trials,
    timeUnit: null,
    labels: () => (labels ? checkedLabels(labels, trials) : null),
    content: { kind: 'events', events, summary: () => ({ ...summaryOf(trials, events), ids }) },
  };
}
