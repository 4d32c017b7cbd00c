import { renderLearningCurves } from '../../plot/index.ts';
import type { AuditReport } from '../auditReport.ts';

/** Names of the measures on the axes, the range that is always shown, and the values that mean something in them. */
const auditMeasures = {
  cosine: {
    yLabel: 'cosine',
    shown: [-0.1, 1.05],
    bounds: [
      { label: 'BPTT', value: 1 },
      { label: 'orthogonal', value: 0 },
    ],
  },
  sign: {
    yLabel: 'sign agreement',
    shown: [0.45, 1.03],
    bounds: [
      { label: 'BPTT', value: 1 },
      { label: 'chance', value: 0.5 },
    ],
  },
  norm: { yLabel: 'norm ratio', shown: [0.2, 5], bounds: [{ label: 'BPTT', value: 1 }] },
} as const;

/** One measure of an audit over the training, for at most two projections: recurrent weights first. */
export function drawAudit(report: AuditReport, measure: keyof typeof auditMeasures): Uint8Array {
  const { rules, points, task, seed } = report;
  const shownBlocks = report.blocks.slice(0, 2);
  const { yLabel, bounds, shown } = auditMeasures[measure];
  const master = rules.find(({ role }) => role === 'master')?.label;
  const drawn = rules.flatMap(({ role, label }, n) => (role === 'master' || role === 'audited' ? [{ label, n }] : []));
  const values = drawn.flatMap(({ n }) =>
    points.flatMap(({ alignments }) => shownBlocks.map((block) => alignments[n][block][measure])),
  );
  const [low, high] = shown;
  // Both panels have one range, so that they can be compared.
  const yRange = values.reduce<readonly [number, number]>(
    ([min, max], value) => {
      const y = drawable(value, measure);
      return Number.isNaN(y) ? [min, max] : [Math.min(min, y), Math.max(max, y)];
    },
    [low, high],
  );
  const panel = (block: string, legend: 'labels' | 'none') => ({
    label: `weights of ${block}`,
    legend,
    xLabel: report.unit,
    yLabel,
    yAxis: measure === 'norm' ? ('log' as const) : ('linear' as const),
    bounds,
    yRange,
    groups: drawn.map((rule) => ({
      label: rule.label === master ? `${rule.label} (trains)` : rule.label,
      runs: [
        {
          x: points.map(({ amount }) => amount),
          y: points.map(({ alignments }) => drawable(alignments[rule.n][block][measure], measure)),
        },
      ],
    })),
  });
  return renderLearningCurves(
    {
      title: `${task}, trained by ${master}, seed ${seed}: updates against BPTT`,
      panels: shownBlocks.map((block, n) => panel(block, n === 0 ? 'labels' : 'none')),
    },
    { height: 450 },
  );
}

/** A gap where nothing is defined; a gradient of 0 has no place on a logarithmic axis. */
function drawable(value: number | null, measure: keyof typeof auditMeasures): number {
  return value === null || (measure === 'norm' && value === 0) ? Number.NaN : value;
}
