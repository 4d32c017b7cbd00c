import type { SynapseRows } from '../views/types.ts';

const written = (value: number) =>
  value === 0 ? '0' : Math.abs(value) >= 0.001 ? value.toFixed(4) : value.toExponential(1);

/** The factors of a weight change as numbers: at the step at which a paused page stands, and over the trial. */
export function Terms({
  rows,
  steps,
  dtMs,
  t,
}: {
  readonly rows: SynapseRows;
  readonly steps: number;
  readonly dtMs: number;
  readonly t: number | null;
}) {
  const { input, traces, psi, signals, terms, weight, after, unexplained } = rows;
  const at = Math.min(t ?? steps - 1, steps - 1);
  const upTo = terms ? terms.slice(0, at + 1).reduce((sum, term) => sum + term, 0) : null;
  const entries: readonly (readonly [string, number])[] = [
    ['input z', input[at]],
    ...traces.map(({ label, values }) => [`trace ${label}`, values[at]] as const),
    ['pseudo-derivative ψ', psi[at]],
    ...signals.map(({ label, values }) => [`learning signal L ${label}`, values[at]] as const),
    ...(terms ? ([['adds to dE/dw', terms[at]]] as const) : []),
    ...(upTo === null ? [] : ([['sum so far', upTo]] as const)),
    ['weight', weight[at]],
  ];
  return (
    <>
      <table class="terms">
        <caption>At {Math.round(at * dtMs * 1000) / 1000} ms, stream 0</caption>
        <tbody>
          {entries.map(([label, value]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>{written(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">
        Over the trial, of all streams and through the optimiser: {written(weight[0])} to {written(after)}, a change of{' '}
        {written(after - weight[0])}.{unexplained === null ? '' : ` ${unexplained}`}
      </p>
    </>
  );
}
