import { type Curve, drawCurve, smoothed } from '../views/curve.ts';
import type { RunInfo } from '../views/types.ts';
import { Drawing } from './drawing.tsx';
import { type Earlier, labelOf } from './earlier.ts';
import type { Side } from './side.ts';

interface CurvePanelProps {
  readonly sides: readonly Side[];
  readonly earlier: readonly Earlier[];
  /** Of its heading; 2 where it is left out. */
  readonly level?: 2 | 3;
}

/** The curves of both sides, and of earlier runs with the same score. */
export function CurvePanel({ sides, earlier, level = 2 }: CurvePanelProps) {
  const [main] = sides;
  const { info } = main;
  return (
    <Drawing
      title="Learning curve"
      level={level}
      about={info ? inWords(info, main) : 'Learning curve'}
      height={280}
      file={`${info?.name ?? 'run'}-curve`}
      draw={(sheet) => {
        if (!info) return;
        const { bounds, score, unit, total } = info;
        drawCurve(sheet, { curves: curvesOf(sides, info, earlier), bounds, score, unit, total });
      }}
    />
  );
}

function curvesOf(sides: readonly Side[], { unit, score }: RunInfo, earlier: readonly Earlier[]): Curve[] {
  const own = sides.flatMap(({ info, amount, score: values }, n) =>
    info ? [{ label: info.rule, amount, score: values, colour: n, faded: false }] : [],
  );
  const labels = sides.map(({ info }) => info && labelOf(info));
  const former = earlier.filter(
    (run) => run.unit === unit && run.score.label === score.label && !labels.includes(run.label),
  );
  const faded = former.map(({ label, amount, values }, n) => ({
    label,
    amount,
    score: values,
    colour: sides.length + n,
    faded: true,
  }));
  return [...own, ...faded];
}

function inWords({ score, unit, bounds }: RunInfo, { amount, score: values }: Side): string {
  const last = smoothed(values).at(-1)?.toPrecision(3) ?? 'none';
  const known = bounds.map(({ label, value }) => `${label} ${value.toPrecision(3)}`).join(', ') || 'none';
  return `Learning curve: ${score.label} over ${unit}, ${amount.length} points, now ${last}; bounds ${known}`;
}
