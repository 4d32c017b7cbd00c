import { rasters, readoutLines, windowShown } from '../figures/observed.ts';
import { observe } from '../observe.ts';
import { loadRun } from '../runFolder.ts';
import type { LiveLook } from './protocol.ts';

/** What the network of a run's checkpoint does: spikes and outputs of a trial, weights held. @throws FileError, ConfigError */
export function lookAt(id: string, folder: string): LiveLook {
  const experiment = loadRun(folder);
  try {
    const { task, feed, run } = experiment;
    const observation = observe(experiment, windowShown(experiment));
    const { dtMs, steps } = observation;
    return {
      id,
      amount: feed.amount(),
      unit: task.mode.kind === 'stream' ? 'symbols' : 'trials',
      dtMs,
      steps,
      rasters: rasters(observation, experiment).map(({ label, populations, spikes: { t, index, value } }) => {
        const graded = Array.from(value ?? []);
        const largest = graded.reduce((most, one) => Math.max(most, one), 0);
        const isGraded = graded.some((one) => one !== largest);
        return {
          label,
          groups: populations.map(({ label: name, size }) => ({ label: name, size })),
          spikes: {
            t: Array.from(t),
            index: Array.from(index),
            value: isGraded ? graded.map((one) => one / largest) : null,
          },
        };
      }),
      outputs: run.network.spec.readouts.flatMap((readout, r) =>
        readoutLines(readout, observation.rows, task.statesExpected).series.map(
          ({ label, values, dashed, colorOf }, n) => ({
            label: run.network.spec.readouts.length > 1 ? `${readout.name}: ${label}` : label,
            values: Array.from(values, (value) => (Number.isFinite(value) ? value : null)),
            dashed: dashed ?? false,
            colour: 4 * r + (colorOf ?? n),
          }),
        ),
      ),
      bounds: task.bounds,
    };
  } finally {
    experiment.close();
  }
}
