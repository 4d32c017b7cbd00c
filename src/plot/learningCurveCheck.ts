import { ConfigError } from '../core/errors.ts';
import { checkFinite, checkGaps, checkLength, checkNotEmpty } from './check.ts';
import type { LearningCurveData, Run } from './types.ts';

/** @throws ConfigError for runs without points, x that do not ascend, and values <= 0 on a logarithmic axis. */
export function checkLearningCurve(data: LearningCurveData): void {
  checkNotEmpty('groups', data.groups, 'group of runs');
  data.groups.forEach(({ runs }, g) => {
    checkNotEmpty(`groups[${g}].runs`, runs, 'run');
    runs.forEach((run, r) => {
      checkRun(`groups[${g}].runs[${r}]`, run, data);
    });
  });
  data.bounds.forEach(({ value }, n) => {
    checkFinite(`bounds[${n}].value`, [value]);
    if (data.yAxis === 'log') checkLog(`bounds[${n}].value`, [value]);
  });
  if (data.yRange) checkRange(data.yRange, data.yAxis === 'log');
}

function checkRun(path: string, { x, y }: Run, { xAxis, yAxis }: LearningCurveData): void {
  checkNotEmpty(`${path}.x`, x, 'point');
  checkLength(`${path}.y`, y, x.length, 'as many as x');
  checkFinite(`${path}.x`, x);
  checkGaps(`${path}.y`, y);
  for (let n = 1; n < x.length; n++) {
    if (!(x[n] > x[n - 1])) throw new ConfigError(`${path}.x[${n}]`, x[n], `more than ${x[n - 1]}, the x before`);
  }
  if (xAxis === 'log') checkLog(`${path}.x`, x);
  if (yAxis === 'log') checkLog(`${path}.y`, y);
}

function checkLog(path: string, values: ArrayLike<number>): void {
  for (let n = 0; n < values.length; n++) {
    if (values[n] <= 0) throw new ConfigError(`${path}[${n}]`, values[n], 'a value > 0 on a logarithmic axis');
  }
}

function checkRange([low, high]: readonly [number, number], log: boolean): void {
  if (!(Number.isFinite(low) && low < high && high < Number.POSITIVE_INFINITY)) {
    throw new ConfigError('yRange', [low, high], '[low, high] with low < high');
  }
  if (log) checkLog('yRange', [low]);
}
