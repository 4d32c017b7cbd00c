import cliProgress from 'cli-progress';
import type { Progress } from '../record/index.ts';

/** A live line for one or more jobs; says nothing where the output is no terminal. */
export interface ProgressLine {
  update(job: number, progress: Progress): void;
  stop(): void;
}

const silent: ProgressLine = { update() {}, stop() {} };

/** @param total sum of the totals of all jobs */
export function openProgress(total: number, quiet: boolean): ProgressLine {
  if (quiet || !process.stderr.isTTY) return silent;
  const format = ' {bar} {percentage}%  {value}/{total} {unit}  loss {loss}  rate {rate} Hz  {speed}/s  {left} left';
  const bar = new cliProgress.SingleBar({ format, stream: process.stderr, hideCursor: true, barsize: 24, fps: 5 });
  bar.start(total, 0, { unit: '', loss: '-', rate: '-', speed: '-', left: '-' });
  const states = new Map<number, Progress>();
  return {
    update(job, progress) {
      states.set(job, progress);
      const all = [...states.values()];
      const amount = all.reduce((sum, state) => sum + state.amount, 0);
      const running = all.filter((state) => state.amount < state.total);
      const speed = running.reduce((sum, state) => sum + (state.perSecond ?? 0), 0);
      bar.update(Math.min(amount, total), {
        unit: progress.unit,
        loss: progress.loss?.toFixed(4) ?? '-',
        rate: progress.rateHz?.toFixed(1) ?? '-',
        speed: speed > 0 ? compact(speed) : '-',
        left: speed > 0 ? duration((total - amount) / speed) : '-',
      });
    },
    stop: () => bar.stop(),
  };
}

/** 31400 -> 31.4k */
export function compact(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  return value >= 1e3 ? `${(value / 1e3).toPrecision(3)}k` : value.toPrecision(3);
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
