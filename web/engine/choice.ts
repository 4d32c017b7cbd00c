import { chips, demandOf, profiles, structureOf, widthsOf } from '../../hardware/index.ts';
import {
  applySettings,
  type Catalogue,
  ConfigError,
  createExperiment,
  type ExperimentConfig,
  type NetworkSpec,
  observedRanges,
  presetNames,
  preset,
  versionsOf,
  withWidths,
} from '../../src/browser.ts';
import type { Choice, Lists } from './protocol.ts';

/** What there is to choose from. */
export function listsOf({ rules, neurons }: Catalogue): Lists {
  return {
    presets: presetNames,
    rules: rules.map(({ name, summary }) => ({ name, about: summary })),
    neurons: neurons.map(({ kind }) => kind),
    chips,
  };
}

/** The experiment that is meant. @throws ConfigError with path, value and range */
export function experimentOf({ base, settings, chip }: Choice, catalogue: Catalogue): unknown {
  const input = 'preset' in base ? preset(base.preset) : base.experiment;
  const chosen = applySettings(input, settings, catalogue);
  return chip === null ? chosen : inFormatsOf(chip, chosen, catalogue);
}

/** The experiment as a chip would have it: its structure, and its number formats on the ranges that the untrained network shows. */
function inFormatsOf(chip: string, input: unknown, catalogue: Catalogue): ExperimentConfig {
  const profile = profiles.find(({ id }) => id === chip);
  if (!profile) throw new ConfigError('chip', chip, `one of ${chips.map(({ name }) => name).join(', ')}`);
  const { config, run } = createExperiment(input, catalogue);
  const demand = demandOf(run.network.spec);
  const widths = (spec: NetworkSpec) => widthsOf(demandOf(spec), profile);
  const { structured } = versionsOf(config, { ...structureOf(demand, profile), widths }, catalogue);
  const untrained = createExperiment(structured, catalogue);
  return withWidths(structured, widths(untrained.run.network.spec), observedRanges(untrained, catalogue));
}
