import { Drawing } from '../page/drawing.tsx';
import { drawCurve } from '../views/curve.ts';
import type { Bound } from '../views/types.ts';
import type { Run } from './runs.ts';

/** Learning curves of the chosen runs that have the score of the first of them. */
export function Comparison({ runs, bounds }: { readonly runs: readonly Run[]; readonly bounds: readonly Bound[] }) {
  const score = runs.find((run) => run.score)?.score;
  const drawn = runs.filter((run) => run.score?.label === score?.label);
  const left = runs.length - drawn.length;
  return (
    <Drawing
      title="Learning curves"
      level={2}
      about={`Learning curves of ${drawn.length} runs${score ? `: ${score.label}` : ''}; the table below has the numbers`}
      height={320}
      file="curves"
      draw={(sheet) => {
        if (!score) return;
        drawCurve(sheet, {
          curves: drawn.map(({ id, name, amounts, scores }, colour) => ({
            label: id || name,
            amount: amounts,
            score: scores,
            colour,
            faded: false,
          })),
          bounds,
          score,
          unit: 'symbols or trials',
          total: Math.max(...drawn.map(({ total, amount }) => Math.max(total, amount))),
        });
      }}
    >
      {left > 0 && <p class="note">{left} chosen runs have another score and are not drawn.</p>}
    </Drawing>
  );
}
