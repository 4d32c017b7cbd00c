import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { FileError, UnsupportedError } from '../../core/errors.ts';
import {
  allOf,
  countOf,
  fileSource,
  formatOf,
  type Hdf5File,
  hdf5File,
  matlabArray,
  matlabCell,
  nwbTrials,
  nwbUnits,
  openRecording,
  type Recording,
  readNMnist,
} from '../../data/index.ts';
import { compare, flatten, type Nested, notChecked, type Quantity } from './report.ts';

interface Trial {
  readonly times: readonly number[];
  readonly units: readonly number[];
}

/** A file of kind `data-sample` or `shd-content`: what has to come out of the data file beside it. */
export interface DataSampleFile {
  /** `refuse`: why the data file has to be refused. */
  readonly meta: { readonly format?: string; readonly twin_of?: string; readonly refuse?: string };
  readonly [field: string]: unknown;
}

/** The file or folder that a description is of: beside it, of its name. @throws FileError */
export function dataFileOf(file: DataSampleFile, path: string): string {
  const { dir, name } = parse(path);
  const twin = file.meta.twin_of;
  if (twin !== undefined) return join(dir, twin);
  const found = readdirSync(dir || '.').filter((one) => parse(one).name === name && !one.endsWith('.json'));
  if (found.length === 1) return join(dir, found[0]);
  throw new FileError(
    path,
    `expected one data file of the name "${name}" beside it, found ${found.join(', ') || 'none'}`,
  );
}

/** Compares what is read with what the file says, entry by entry: all of it is meant to be equal. */
export function verifyDataSample(file: DataSampleFile, path: string): Quantity[] {
  const data = dataFileOf(file, path);
  if (file.meta.refuse !== undefined) return [refusal(data, file.meta.refuse)];
  const recording = openRecording(data, {}, labelFileOf(file, data));
  const content = formatOf(data) === 'hdf5' ? hdf5File(data) : null;
  const fields = Object.keys(file).filter((field) => field !== 'meta');
  return fields.flatMap((field) => quantitiesOf(field, file[field], { file, data, recording, content }));
}

interface Read {
  readonly file: DataSampleFile;
  readonly data: string;
  readonly recording: Recording;
  /** Null for a file of another format. */
  readonly content: Hdf5File | null;
}

/** Labels of a table of events lie in a table of their own, which the format names. */
function labelFileOf({ meta, labels }: DataSampleFile, data: string): string | null {
  if (!labels || formatOf(data) !== 'text') return null;
  const named = [...(meta.format ?? '').matchAll(/[\w.-]+\.(?:csv|tsv|npy)/g)].map(([name]) =>
    join(dirname(data), name),
  );
  return named.find((name) => name !== data && existsSync(name)) ?? null;
}

function refusal(data: string, why: string): Quantity {
  const name = 'refused by name';
  try {
    openRecording(data);
  } catch (error) {
    if (!(error instanceof FileError || error instanceof UnsupportedError)) throw error;
    return { ...exact(name, [1], [1]), where: error.message };
  }
  return { ...exact(name, [0], [1]), where: `was read; expected to be refused: ${why}` };
}

/** What the fields mean, by name; one that is none of these is a variable of a MATLAB file. */
function quantitiesOf(field: string, want: unknown, read: Read): Quantity[] {
  const { data, recording, content } = read;
  if (field === 'units_total') return [unitsWithin(recording, want as number)];
  if (field === 'time_unit') return [timeUnit(recording, want as string)];
  if (field === 'labels' || field === 'label') return [labels(field, recording, want as number | number[] | null)];
  if (field === 'shape' || field === 'values') return [values(field, recording, want as number[])];
  if (field === 'trials') return isSpans(want) ? spans(want, read) : trials(want as Trial[], recording);
  if (['x', 'y', 'p', 't'].includes(field)) return [sensorColumn(field as 'x', want as number[], data, content)];
  if (content?.isDataSet('spikes/times') && (field === 'times' || field === 'units')) {
    return trials(want as number[][], recording, field);
  }
  if (content?.isDataSet('units/spike_times')) {
    if (field === 'unit_ids') return [exact(field, nwbUnits(content).ids, want as number[])];
    if (field === 'spike_times') return [lists(field, nwbUnits(content).times, want as number[][])];
    if (field === 'stimulus_shape') {
      return [exact(field, content.array('acquisition/stimulus/data').shape, want as number[])];
    }
  }
  if (content?.isDataSet(`extra/${field}`)) return [extra(field, want as (number | string)[], content)];
  if (content?.isDataSet(field)) return [variable(field, want as Nested, content)];
  return [notChecked(field, 'a field of no known meaning')];
}

const exact = (name: string, got: ArrayLike<number>, want: Nested) => compare(name, got, want, 0);

/** Lists of any lengths: their lengths first, then all entries. */
function lists(name: string, got: readonly ArrayLike<number>[], want: readonly (readonly number[])[]): Quantity {
  const lengths = (all: readonly ArrayLike<number>[]) => all.map(({ length }) => length);
  const length = exact(`${name} (lengths)`, lengths(got), lengths(want));
  if (length.worst !== 0) return length;
  return exact(
    `${name} (${want.length} lists)`,
    got.flatMap((list) => Array.from(list)),
    want.flat(),
  );
}

function unitsWithin({ content }: Recording, total: number): Quantity {
  const count = content.kind === 'events' ? content.summary().ids.length : content.width;
  return exact('units_total: units of the file beyond it', [Math.max(0, count - total)], [0]);
}

function timeUnit(recording: Recording, want: string): Quantity {
  if (recording.timeUnit === null) return notChecked('time_unit', 'the file does not say it: a setting of the task');
  return same('time_unit', [recording.timeUnit], [want]);
}

function labels(name: string, recording: Recording, want: number | readonly number[] | null): Quantity {
  const got = recording.labels();
  if (want === null) return exact(`${name}: none`, [got?.length ?? 0], [0]);
  return exact(name, got ?? [], [want].flat());
}

function values(field: 'shape' | 'values', { content, trials }: Recording, want: readonly number[]): Quantity {
  if (content.kind !== 'values') return exact(field, [], want);
  if (field === 'values') {
    return exact(field, Array.from({ length: trials }, (_, n) => Array.from(content.values(n))).flat(), want);
  }
  // A file of one trial, read as an array of trials, has one axis more.
  const { shape } = content;
  return exact(field, shape.length === want.length + 1 && shape[0] === 1 ? shape.slice(1) : shape, want);
}

function trials(
  want: readonly Trial[] | readonly number[][],
  recording: Recording,
  only?: 'times' | 'units',
): Quantity[] {
  const { content } = recording;
  if (content.kind !== 'events') return [exact('trials', [], [want.length])];
  const got = Array.from({ length: recording.trials }, (_, n) => content.events(n));
  const parts = only ? [only] : (['times', 'units'] as const);
  const wanted = (part: 'times' | 'units') =>
    only ? (want as number[][]) : (want as Trial[]).map((trial) => trial[part]);
  return parts.map((part) =>
    lists(
      only ?? `trials.${part}`,
      got.map((events) => events[part]),
      wanted(part),
    ),
  );
}

interface Span {
  readonly start: number;
  readonly stop: number;
  readonly label?: number;
}

const isSpans = (want: unknown): want is Span[] => Array.isArray(want) && typeof want[0]?.start === 'number';

function spans(want: readonly Span[], { content, recording }: Read): Quantity[] {
  const got = content && nwbTrials(content);
  const labelled = want.filter(({ label }) => label !== undefined);
  return [
    exact(
      'trials.start',
      got?.start ?? [],
      want.map(({ start }) => start),
    ),
    exact(
      'trials.stop',
      got?.stop ?? [],
      want.map(({ stop }) => stop),
    ),
    exact(
      'trials.label',
      labelled.length > 0 ? (recording.labels() ?? []) : [],
      labelled.map(({ label }) => label as number),
    ),
  ];
}

function sensorColumn(
  field: 'x' | 'y' | 'p' | 't',
  want: readonly number[],
  data: string,
  content: Hdf5File | null,
): Quantity {
  return exact(
    field,
    content ? (content.columns('data/0').get(field) ?? []) : readNMnist(fileSource(data))[field],
    want,
  );
}

function extra(field: string, want: readonly (number | string)[], content: Hdf5File): Quantity {
  const name = `extra/${field}`;
  if (content.kindOf(name) === 'strings') return same(field, content.strings(name), want as string[]);
  return exact(field, allOf(content.array(name)), want as number[]);
}

function variable(field: string, want: Nested, content: Hdf5File): Quantity {
  if (content.kindOf(field) !== 'references') return exact(field, allOf(matlabArray(content, field)), want);
  const cell = matlabCell(content, field);
  const wanted = want as readonly (readonly number[])[];
  return lists(
    field,
    Array.from({ length: countOf(cell.shape) }, (_, place) => cell.read(place)),
    wanted.map((list) => flatten(list)),
  );
}

/** Texts, compared as they stand. */
function same(name: string, got: readonly string[], want: readonly string[]): Quantity {
  const odd = want.findIndex((text, n) => text !== got[n]);
  const place = odd < 0 ? 'all equal' : `[${odd}]: got "${got[odd]}", want "${want[odd]}"`;
  return { ...exact(name, [got.length === want.length && odd < 0 ? 1 : 0], [1]), where: place };
}
