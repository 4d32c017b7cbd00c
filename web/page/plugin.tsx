import { useEffect, useRef, useState } from 'preact/hooks';
import template from '../../examples/plugins/rule.ts?raw';
import type { UsedPlugin } from './playground.ts';

interface PluginProps {
  /** Text of the plug-in that the address has; null: none. */
  readonly text: string | null;
  /** Whether it waits for the user's word. */
  readonly held: boolean;
  use(plugin: UsedPlugin | null): void;
}

/** A rule, neuron or task of one's own, typed on the page or brought by a link. It runs when its button is pressed, and not before. */
export function PluginEditor({ text: given, held, use }: PluginProps) {
  const [text, write] = useState(given ?? template);
  useEffect(() => {
    if (given !== null) write(given);
  }, [given]);
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (held && details.current) details.current.open = true;
  }, [held]);
  const [problem, report] = useState('');
  const apply = async () => {
    try {
      const { transform } = await import('sucrase');
      const { code } = transform(text, { transforms: ['typescript', 'imports'] });
      report('');
      use({ text, code });
    } catch (error) {
      report(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <details class="plugin" ref={details}>
      <summary>A rule of your own</summary>
      <p class="note">
        A plug-in is one file, as for <code>--plugin</code> on the command line. It runs in a frame without origin,
        which reaches neither this page nor a server. A link carries it, and runs it only when its reader presses the
        button.
      </p>
      <label>
        Plug-in (TypeScript)
        <textarea
          class="code"
          rows={18}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => write(currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="button" onClick={apply}>
          Use plug-in
        </button>
        {given !== null && (
          <button type="button" onClick={() => use(null)}>
            Do without
          </button>
        )}
      </div>
      <p role="alert" class="failure">
        {problem}
      </p>
    </details>
  );
}
