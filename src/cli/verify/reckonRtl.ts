import { createReckon, type Reckon, type ReckonConfig } from '../../../hardware/reckon/index.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';

type Words = Readonly<Record<string, Nested>>;

interface Sample {
  readonly T: number;
  readonly label: number;
  readonly events: Readonly<Record<string, readonly number[]>>;
  readonly target_valid: readonly number[];
  readonly infer_acc: readonly number[];
  readonly targets: Readonly<Record<string, readonly number[]>>;
}

interface Tick {
  readonly k: number;
  readonly ev: readonly number[];
  readonly z?: readonly number[];
  readonly post_step?: Words;
  readonly eprop?: Words;
  readonly post_prop?: Words;
  readonly lfsr: Words;
}

interface SampleResult {
  readonly ticks: readonly Tick[];
  readonly inference: number;
  readonly win_counts: readonly number[];
  readonly w_inp: readonly number[];
  readonly w_rec: readonly number[];
  readonly w_out: readonly number[];
}

export interface ReckonWeightLists {
  readonly w_inp: readonly number[];
  readonly w_rec: readonly number[];
  readonly w_out: readonly number[];
}

/** A golden file of kind `reckon-rtl`: registers, inputs and everything a simulation of the RTL went through. */
export interface ReckonRtlFile {
  readonly cases: readonly {
    readonly name: string;
    readonly config: ReckonConfig;
    readonly initial_weights: ReckonWeightLists;
    readonly samples: readonly Sample[];
    readonly rtl: { readonly initial: { readonly lfsr: Words }; readonly samples: readonly SampleResult[] };
  }[];
}

type Case = ReckonRtlFile['cases'][number];

/** What was got and wanted of each quantity, in the order of the file. */
class Ledger {
  readonly #entries = new Map<string, { got: number[]; want: number[] }>();

  /** Lists are compared number by number; a list that is longer or shorter than the file's fails. */
  add(name: string, got: Nested, want: Nested | undefined): void {
    const entry = this.#entries.get(name) ?? { got: [], want: [] };
    this.#entries.set(name, entry);
    const [numbers, wanted] = [flatten(got), want === undefined ? [] : flatten(want)];
    if (numbers.length !== wanted.length) {
      entry.got.push(Number.NaN);
      entry.want.push(wanted.length);
      return;
    }
    entry.got.push(...numbers);
    entry.want.push(...wanted);
  }

  quantities(prefix: string): Quantity[] {
    return [...this.#entries].map(([name, { got, want }]) =>
      compare(`${prefix}.${name} (${want.length})`, got, want, 0),
    );
  }
}

/** Runs every case on the emulated chip and compares all that the RTL's dump holds, with no tolerance. */
export function verifyReckonRtl(file: ReckonRtlFile, subject: Subject): Quantity[] {
  if (subject.backend !== 'reference') throw new Error('a chip is emulated in integers only, on the reference backend');
  return file.cases.flatMap(verifyCase);
}

function verifyCase(item: Case): Quantity[] {
  const { w_inp: inp, w_rec: rec, w_out: out } = item.initial_weights;
  const chip = createReckon(item.config, { inp, rec, out });
  const ledger = new Ledger();
  addWords(ledger, 'lfsr', { ...chip.generatorWords() }, item.rtl.initial.lfsr);
  item.samples.forEach((sample, s) => {
    verifySample(ledger, chip, sample, item.rtl.samples[s]);
  });
  return [
    ...ledger.quantities(item.name),
    notChecked(`${item.name}.cycles`, 'clock cycles with the handshake of the driver, not a value of the chip'),
  ];
}

function verifySample(ledger: Ledger, chip: Reckon, sample: Sample, result: SampleResult): void {
  const weights = new WeightDiff(chip);
  for (let k = 0; k < sample.T; k++) {
    const want = result.ticks[k];
    const events = sample.events[k] ?? [];
    ledger.add('k', k, want.k);
    ledger.add('ev', [...events], want.ev);
    const target = sample.targets[k];
    if (target && k > 0) setTarget(chip, target);
    const flags = {
      valid: sample.target_valid.includes(k),
      vote: sample.infer_acc.includes(k),
      last: k === sample.T - 1,
    };
    const seen: string[] = [];
    chip.tick({ events, ...flags }, (phase) => {
      seen.push(phase);
      if (phase === 'step') {
        ledger.add('z', [...chip.state.z.subarray(0, chip.sizes.nRec)], want.z);
        addWords(ledger, 'post_step', snapshot(chip), want.post_step);
      } else if (phase === 'learn') addWords(ledger, 'eprop', { ...learned(chip), ...weights.changes() }, want.eprop);
      else addWords(ledger, 'post_prop', snapshot(chip), want.post_prop);
    });
    addWords(ledger, 'lfsr', { ...chip.generatorWords() }, want.lfsr);
    // A phase that the file has and the chip left out, or the other way round, is no number of the file.
    const wanted = [want.z && 'step', want.eprop && 'learn', want.post_prop && 'propagate'].filter(Boolean);
    if (seen.join() !== wanted.join()) throw new Error(`tick ${k}: phases ${seen.join()}, expected ${wanted.join()}`);
  }
  verifyEnd(ledger, chip, result);
}

function verifyEnd(ledger: Ledger, chip: Reckon, result: SampleResult): void {
  const votes = [...chip.votes.subarray(0, chip.sizes.nOut)];
  ledger.add('win_counts', votes, result.win_counts);
  ledger.add('inference', votes.indexOf(Math.max(...votes)), result.inference);
  const { inp, rec, out } = chip.weights();
  ledger.add('w_inp', [...inp], result.w_inp);
  ledger.add('w_rec', [...rec], result.w_rec);
  ledger.add('w_out', [...out], result.w_out);
}

function setTarget(chip: Reckon, target: readonly number[]): void {
  if (chip.config.SPI_REGRESSION) chip.setTargets(target);
  else chip.setLabel(target[0]);
}

/** Every name of the file; one that only we have is no number of it. */
function addWords(ledger: Ledger, group: string, got: Words, want: Words | undefined): void {
  for (const [name, value] of Object.entries(want ?? {})) ledger.add(`${group}.${name}`, got[name] ?? [], value);
}

function snapshot({ state, sizes: { nRec, nOut, rows } }: Reckon): Words {
  return {
    u: [...state.u.subarray(0, nRec)],
    ti: [...state.tInp.subarray(0, rows)],
    tr: [...state.tRec.subarray(0, rows)],
    to: [...state.tOut.subarray(0, rows)],
    y: [...state.y.subarray(0, nOut)],
  };
}

function learned({ state, sizes: { nRec, nOut } }: Reckon): Words {
  return {
    err: [...state.error.subarray(0, nOut)],
    ls: [...state.signal.subarray(0, nRec)],
    h: [...state.slope.subarray(0, nRec)],
    treg: [...state.excess.subarray(0, nRec)],
  };
}

/** Which weights changed since it was last asked: [pre, post, new value], as the file lists them. */
class WeightDiff {
  readonly #chip: Reckon;
  #before: ReturnType<Reckon['weights']>;

  constructor(chip: Reckon) {
    this.#chip = chip;
    this.#before = chip.weights();
  }

  changes(): Words {
    const [before, now] = [this.#before, this.#chip.weights()];
    this.#before = now;
    const { nRec, nOut } = this.#chip.sizes;
    return {
      dwi: changesOf(before.inp, now.inp, nRec),
      dwr: changesOf(before.rec, now.rec, nRec),
      dwo: changesOf(before.out, now.out, nOut),
    };
  }
}

function changesOf(before: Int8Array, now: Int8Array, columns: number): number[][] {
  return [...now.keys()].filter((s) => now[s] !== before[s]).map((s) => [Math.floor(s / columns), s % columns, now[s]]);
}
