import type { Column, Run } from './runs.ts';

interface RunTableProps {
  readonly runs: readonly Run[];
  readonly order: { readonly column: Column; readonly descending: boolean };
  sort(column: Column): void;
  readonly compared: ReadonlySet<string>;
  toggle(id: string): void;
  readonly seen: string | null;
  see(id: string): void;
}

const columns: readonly (readonly [Column, string])[] = [
  ['id', 'folder'],
  ['rule', 'rule'],
  ['seed', 'seed'],
  ['state', 'state'],
  ['amount', 'done'],
  ['last', 'score'],
  ['rateHz', 'rate (Hz)'],
];

/** Every run a row, to be sorted by its columns, chosen for the curves and looked into. Names of folders are text, whatever they are. */
export function RunTable({ runs, order, sort, compared, toggle, seen, see }: RunTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
    <section class="runs" tabIndex={0} aria-label="Runs">
      <table>
        <thead>
          <tr>
            <th scope="col">curve</th>
            {columns.map(([column, label]) => (
              <th
                key={column}
                scope="col"
                aria-sort={order.column !== column ? 'none' : order.descending ? 'descending' : 'ascending'}
              >
                <button type="button" onClick={() => sort(column)}>
                  {label} {order.column !== column ? '' : order.descending ? '▼' : '▲'}
                </button>
              </th>
            ))}
            <th scope="col">spikes</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} data-run={run.id}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Curve of ${nameOf(run)}`}
                  checked={compared.has(run.id)}
                  onChange={() => toggle(run.id)}
                />
              </td>
              <th scope="row">{nameOf(run)}</th>
              <td>{run.rule}</td>
              <td>{run.seed ?? '-'}</td>
              <td>{run.state}</td>
              <td>
                {run.amount.toLocaleString('en-GB')} of {run.total.toLocaleString('en-GB')}
              </td>
              <td>
                {run.last?.toPrecision(4) ?? '-'} {run.score && <span class="note">{run.score.label}</span>}
              </td>
              <td>{run.rateHz?.toFixed(1) ?? '-'}</td>
              <td>
                <button
                  type="button"
                  aria-label={`Look at ${nameOf(run)}`}
                  aria-pressed={seen === run.id}
                  onClick={() => see(run.id)}
                >
                  Look
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export const nameOf = ({ id, name }: Pick<Run, 'id' | 'name'>): string => id || name || 'this folder';
