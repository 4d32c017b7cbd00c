import type { Earlier } from './earlier.ts';

/** Runs that were trained before, each with its address. */
export function EarlierRuns({ runs, remove }: { readonly runs: readonly Earlier[]; remove(label: string): void }) {
  if (runs.length === 0) return null;
  return (
    <details class="earlier">
      <summary>Earlier runs ({runs.length})</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Last score</th>
            <th scope="col">Until</th>
            <th scope="col">Remove</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ label, hash, values, score, amount, unit }) => (
            <tr key={label}>
              <th scope="row">
                <a href={hash}>{label}</a>
              </th>
              <td>
                {values.at(-1)?.toPrecision(3)} {score.label}
              </td>
              <td>
                {amount.at(-1)?.toLocaleString('en-GB')} {unit}
              </td>
              <td>
                <button type="button" aria-label={`Remove ${label}`} onClick={() => remove(label)}>
                  ×
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
