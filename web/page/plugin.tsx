import { useState } from 'preact/hooks';
import template from '../../examples/plugins/rule.ts?raw';

/** A rule, neuron or task of one's own, typed on the page. @param use is given it in CommonJS form, null to go without */
export function PluginEditor({ active, use }: { readonly active: boolean; use(source: string | null): void }) {
  const [text, write] = useState(template);
  const [problem, report] = useState('');
  const apply = async () => {
    try {
      const { transform } = await import('sucrase');
      const { code } = transform(text, { transforms: ['typescript', 'imports'] });
      report('');
      use(code);
    } catch (error) {
      report(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <details class="plugin">
      <summary>A rule of your own</summary>
      <p class="note">
        A plug-in is one file, as for <code>--plugin</code> on the command line. It runs in a frame without origin,
        which reaches neither this page nor a server.
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
        {active && (
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
