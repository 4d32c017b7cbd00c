import type { Choice, FileName } from '../engine/protocol.ts';
import { packed, unpacked } from './packed.ts';

/** What a page shows, as its address has it: who opens the address gets the same runs. */
export interface Setup {
  readonly preset: string;
  /** An experiment of one's own, in place of the preset. */
  readonly experiment: unknown;
  readonly seed: number | null;
  /** Null: the rule of the experiment. */
  readonly rule: string | null;
  /** A second run beside the first, on the same seed; null: none. */
  readonly beside: string | null;
  readonly neuron: string | null;
  readonly chip: string | null;
  readonly settings: readonly string[];
  /** Symbols or trials at which training stops; null: its end. */
  readonly until: number | null;
  /** Files that its runs were made with. An address has no files, and asks for them. */
  readonly files: readonly FileName[];
  /** Text of a plug-in, which runs only when the user says so; null: none. */
  readonly plugin: string | null;
}

export const first: Setup = {
  preset: 'four-six-back',
  experiment: null,
  seed: null,
  rule: null,
  beside: null,
  neuron: null,
  chip: null,
  settings: [],
  until: null,
  files: [],
  plugin: null,
};

/** In `beside`: the rule of the experiment itself. */
export const ownRule = 'own';

export function toHash(setup: Setup): string {
  const parameters = new URLSearchParams();
  if (setup.experiment === null) parameters.set('preset', setup.preset);
  else parameters.set('experiment', JSON.stringify(setup.experiment));
  for (const key of ['seed', 'rule', 'beside', 'neuron', 'chip', 'until'] as const) {
    const value = setup[key];
    if (value !== null) parameters.set(key, String(value));
  }
  for (const setting of setup.settings) parameters.append('set', setting);
  for (const { name, sha256 } of setup.files) parameters.append('file', `${sha256 ?? ''}:${name}`);
  const plugin = setup.plugin === null ? null : packed(setup.plugin);
  if (plugin !== null) parameters.set('plugin', plugin);
  return `#${parameters}`;
}

/** @throws SyntaxError for an experiment that is no JSON, Error for a plug-in that cannot be unpacked */
export function fromHash(hash: string): Setup {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const number = (key: string) => {
    const text = parameters.get(key);
    return text === null || text === '' ? null : Number(text);
  };
  const experiment = parameters.get('experiment');
  const plugin = parameters.get('plugin');
  return {
    preset: parameters.get('preset') ?? first.preset,
    experiment: experiment === null ? null : JSON.parse(experiment),
    seed: number('seed'),
    rule: parameters.get('rule'),
    beside: parameters.get('beside'),
    neuron: parameters.get('neuron'),
    chip: parameters.get('chip'),
    settings: parameters.getAll('set'),
    until: number('until'),
    files: parameters.getAll('file').map(fileIn),
    plugin: plugin === null ? null : unpacked(plugin),
  };
}

/** @param text a SHA-256 or nothing, a colon, and a name */
function fileIn(text: string): FileName {
  const end = text.indexOf(':');
  return { name: text.slice(end + 1), sha256: text.slice(0, Math.max(0, end)) || null };
}

/** What each side of the page runs. */
export function choicesOf({ preset, experiment, seed, rule, beside, neuron, chip, settings }: Setup): Choice[] {
  const base = experiment === null ? { preset } : { experiment };
  const rules = beside === null ? [rule] : [rule, beside === ownRule ? null : beside];
  return rules.map((one) => ({ base, seed, rule: one, neuron, chip, settings }));
}
