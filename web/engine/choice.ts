import { chips, demandOf, profiles, structureOf, widthsOf } from '../../hardware/index.ts';
import {
  applySettings,
  type Catalogue,
  ConfigError,
  createExperiment,
  type ExperimentConfig,
  type NetworkSpec,
  observedRanges,
  preset,
  presetNames,
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

/** The experiment that is meant, but for the number formats of a chip. @throws ConfigError with path, value and range */
export function chosenOf(choice: Choice, catalogue: Catalogue): unknown {
  const { base } = choice;
  const input = 'preset' in base ? preset(base.preset) : base.experiment;
  return applySettings(input, settingsOf(choice, input), catalogue);
}

/** The experiment that is meant, whose files are there. @throws ConfigError with path, value and range */
export function experimentOf(choice: Choice, catalogue: Catalogue): unknown {
  const { chip } = choice;
  const chosen = chosenOf(choice, catalogue);
  return chip === null ? chosen : inFormatsOf(chip, chosen, catalogue);
}

/** What was chosen from lists, as settings; those that were written follow, and have the last word. */
function settingsOf({ rule, neuron, seed, settings }: Choice, input: unknown): string[] {
  const { populations } = (input as { readonly network?: { readonly populations?: object } }).network ?? {};
  const owners = populations ? Object.keys(populations).map((name) => `network.populations.${name}`) : ['network'];
  return [
    ...(seed === null ? [] : [`seed=${seed}`]),
    ...(rule === null ? [] : [`rule=${JSON.stringify({ name: rule })}`]),
    ...(neuron === null ? [] : owners.map((owner) => `${owner}.neuron.kind=${neuron}`)),
    ...settings,
  ];
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
