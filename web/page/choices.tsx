import { useState } from 'preact/hooks';
import type { Lists } from '../engine/protocol.ts';
import { first, ownRule, type Setup } from './address.ts';
import { NumberField } from './numberField.tsx';

interface ChoicesProps {
  readonly setup: Setup;
  readonly lists: Lists | null;
  change(setup: Setup): void;
}

interface Option {
  readonly value: string;
  readonly label: string;
}

function Choose({
  label,
  value,
  none,
  options,
  change,
}: {
  readonly label: string;
  readonly value: string | null;
  /** What stands for null; left out: something has to be chosen. */
  readonly none?: string;
  readonly options: readonly Option[];
  change(value: string | null): void;
}) {
  return (
    <label>
      {label}
      <select value={value ?? ''} onChange={({ currentTarget }) => change(currentTarget.value || null)}>
        {none !== undefined && <option value="">{none}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

const named = (names: readonly string[]): Option[] => names.map((name) => ({ value: name, label: name }));

/** What runs: a preset with its rule, neuron, chip and seed, and what is set by hand. */
export function Choices({ setup, lists, change }: ChoicesProps) {
  const rules = (lists?.rules ?? []).filter(({ name }) => name !== 'factored').map(({ name }) => name);
  const set = (part: Partial<Setup>) => change({ ...setup, ...part });
  const own = setup.experiment === null ? [] : [{ value: 'own', label: 'your experiment' }];
  const presets = lists?.presets ?? [setup.preset];
  return (
    <form class="choices" aria-label="Experiment" onSubmit={(event) => event.preventDefault()}>
      <Choose
        label="Task (preset)"
        value={setup.experiment === null ? setup.preset : 'own'}
        options={[...own, ...named(presets)]}
        change={(preset) =>
          preset !== 'own' &&
          change({
            ...first,
            preset: preset ?? first.preset,
            beside: setup.beside,
            seed: setup.seed,
            plugin: setup.plugin,
          })
        }
      />
      <Choose
        label="Rule"
        value={setup.rule}
        none="the preset's own"
        options={named(rules)}
        change={(rule) => set({ rule })}
      />
      <Choose
        label="Beside it"
        value={setup.beside}
        none="nothing"
        options={[{ value: ownRule, label: "the preset's own rule" }, ...named(rules)]}
        change={(beside) => set({ beside })}
      />
      <Choose
        label="Neuron"
        value={setup.neuron}
        none="the preset's own"
        options={named(lists?.neurons ?? [])}
        change={(neuron) => set({ neuron })}
      />
      <Choose
        label="Number formats"
        value={setup.chip}
        none="floating point"
        options={(lists?.chips ?? []).map(({ name }) => ({ value: name, label: `as on ${name}` }))}
        change={(chip) => set({ chip })}
      />
      <NumberField
        label="Seed"
        min={0}
        value={setup.seed ?? 1}
        take={(seed) => set({ seed: Math.max(0, Math.round(seed || 0)) })}
      />
      <Settings setup={setup} set={set} />
    </form>
  );
}

function Settings({ setup, set }: { readonly setup: Setup; set(part: Partial<Setup>): void }) {
  const [text, write] = useState(setup.settings.join('\n'));
  const apply = () =>
    set({
      settings: text
        .split('\n')
        .map((one) => one.trim())
        .filter(Boolean),
    });
  return (
    <details class="settings">
      <summary>More settings</summary>
      <label>
        One <code>path=value</code> a line, as <code>--set</code> has them
        <textarea
          rows={3}
          spellcheck={false}
          value={text}
          placeholder="optimizer.rates.rec=0.1"
          onInput={({ currentTarget }) => write(currentTarget.value)}
        />
      </label>
      <NumberField
        label="Stop at (symbols or trials)"
        min={1}
        value={setup.until}
        take={(until) => set({ until: until || null })}
      />
      <button type="button" onClick={apply}>
        Apply settings
      </button>
    </details>
  );
}
