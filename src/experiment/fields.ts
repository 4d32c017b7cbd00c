import type { Experiment } from './experiment.ts';

/** Numbers of a field of the state, or of the rows of a trial. */
export function valuesOf({ run }: Experiment, name: string): ArrayLike<number> {
  const { state, trial } = run.network;
  return name.startsWith('trial.') ? trial[name.slice('trial.'.length) as 'psi'] : state.field(name);
}

/** The parts of a field that belong to step t: its rows, or all of it. */
export function rowsOf({ run }: Experiment, name: string, t: number): readonly (readonly [from: number, to: number])[] {
  const { sizes } = run.network.spec;
  if (!name.startsWith('trial.')) return [[0, run.network.state.field(name).length]];
  const width = run.network.trial[name.slice('trial.'.length) as 'psi'].length / (sizes.stream * sizes.step);
  return Array.from({ length: sizes.stream }, (_, b) => {
    const from = (b * sizes.step + t) * width;
    return [from, from + width] as const;
  });
}
