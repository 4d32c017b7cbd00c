import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReckon, type Reckon, type ReckonOptions, type ReckonSettings } from '../../hardware/index.ts';
import type { ReckonRtlFile } from '../../src/cli/verify/reckonRtl.ts';

/** Cases of the RTL dump. */
export const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'golden', 'reckon-small.json'), 'utf8'),
) as ReckonRtlFile;

/** Four inputs, four neurons, two outputs; nothing leaks, fires, rounds or learns unless a test says so. */
export const still: ReckonSettings = {
  ...golden.cases[0].config,
  SPI_NUM_INP_NEUR: 3,
  SPI_NUM_REC_NEUR: 3,
  SPI_NUM_OUT_NEUR: 1,
  SPI_KAPPA: 0x80,
  SPI_FP_LOC_WINP: 0,
  SPI_FP_LOC_WREC: 0,
  SPI_FP_LOC_WOUT: 0,
  SPI_FP_LOC_TINP: 0,
  SPI_FP_LOC_TREC: 0,
  SPI_FP_LOC_TOUT: 0,
  ALPHA: [0x8000],
  THR: [32767],
};

export interface Given {
  readonly inp?: number;
  readonly rec?: number;
  readonly out?: number;
}

/** A chip whose weights of a kind are all the same. */
export function chipOf(
  settings: Partial<ReckonSettings>,
  { inp = 0, rec = 0, out = 0 }: Given = {},
  options?: ReckonOptions,
): Reckon {
  const config = { ...still, ...settings } as ReckonSettings;
  const nIn = (config.SPI_NUM_INP_NEUR ?? 255) + 1;
  const nRec = (config.SPI_NUM_REC_NEUR ?? 255) + 1;
  const nOut = (config.SPI_NUM_OUT_NEUR ?? 15) + 1;
  const all = (count: number, value: number) => new Int8Array(count).fill(value);
  return createReckon(
    config,
    { inp: all(nIn * nRec, inp), rec: all(nRec * nRec, rec), out: all(nRec * nOut, out) },
    options,
  );
}

export interface Told {
  readonly events?: readonly number[];
  readonly valid?: boolean;
  readonly vote?: boolean;
  readonly last?: boolean;
}

export function tick(chip: Reckon, { events = [], valid = false, vote = false, last = false }: Told = {}): void {
  chip.tick({ events, valid, vote, last });
}

/** Runs all samples of a case of the dump. @returns spikes of each step, as text */
export function runCase(chip: Reckon, index: number): string[] {
  const spikes: string[] = [];
  for (const { T, events, targets, target_valid, infer_acc } of golden.cases[index].samples) {
    for (let k = 0; k < T; k++) {
      if (targets[k] && k > 0) {
        if (chip.config.SPI_REGRESSION) chip.setTargets(targets[k]);
        else chip.setLabel(targets[k][0]);
      }
      const flags = { valid: target_valid.includes(k), vote: infer_acc.includes(k), last: k === T - 1 };
      chip.tick({ events: events[k] ?? [], ...flags }, (phase) => {
        if (phase === 'step') spikes.push(chip.state.z.subarray(0, chip.sizes.nRec).join(''));
      });
    }
  }
  return spikes;
}

/** The chip of a case of the dump. */
export function chipOfCase(index: number, options?: ReckonOptions): Reckon {
  const { config, initial_weights: w } = golden.cases[index];
  return createReckon(config, { inp: w.w_inp, rec: w.w_rec, out: w.w_out }, options);
}
