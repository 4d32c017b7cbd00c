import { ConfigError } from '../core/errors.ts';
import { estimateRecordingBytes, type RecordedField } from '../record/index.ts';

/** @throws ConfigError where so many rows of these fields can take more than `maxMb` MiB on disk, naming the flag that says so */
export function assertRecordingFits(
  fields: readonly RecordedField[],
  rows: number,
  { maxMb, flag }: { readonly maxMb: number; readonly flag: string },
): void {
  const mebibytes = estimateRecordingBytes({ fields, rows }) / 2 ** 20;
  if (mebibytes <= maxMb) return;
  const wanted = `at least ${Math.ceil(mebibytes)} (MiB) for ${rows} steps; record fewer trials, steps, neurons or fields`;
  throw new ConfigError(flag, maxMb, wanted);
}
