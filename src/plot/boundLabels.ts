import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Paint, PlotArea } from './chart.ts';
import { font } from './font.ts';
import { AXIS, INK } from './palette.ts';
import type { Bound } from './types.ts';

const LINE = 13;
const GAP = 3;
/** From the plot to the text: room for a line that leads to a label that had to move. */
const LEADER = 14;
const LONGEST = 150;

/** A label broken into lines. */
interface BoundLabel {
  readonly value: number;
  readonly lines: readonly string[];
}

export interface BoundLabels {
  /** Px to the right of the plot. */
  readonly width: number;
  readonly labels: readonly BoundLabel[];
}

/** Breaks long labels into lines and measures the margin they need. */
export function layoutBounds(ctx: SKRSContext2D, bounds: readonly Bound[]): BoundLabels {
  ctx.font = font(11);
  const labels = bounds.map(({ label, value }) => ({ value, lines: wrap(ctx, label) }));
  const widths = labels.flatMap(({ lines }) => lines.map((line) => ctx.measureText(line).width));
  return { labels, width: widths.length > 0 ? LEADER + Math.ceil(Math.max(...widths)) + 8 : 16 };
}

/** Dashed lines at the bounds, their labels in the margin. */
export function paintBounds(layout: BoundLabels): Paint {
  return (ctx, area) => {
    const visible = layout.labels.filter(
      ({ value }) => area.y(value) >= area.top - 1 && area.y(value) <= area.bottom + 1,
    );
    const labels = visible.sort((a, b) => area.y(a.value) - area.y(b.value));
    const wanted = labels.map(({ value }) => area.y(value));
    const heights = labels.map(({ lines }) => lines.length * LINE);
    const centres = spread(wanted, heights, area.top, area.bottom);
    labels.forEach((label, n) => {
      paintBound(ctx, area, label, centres[n]);
    });
  };
}

/** Labels that touch: moved as one, so that the mean of their ways is nought. */
interface Cluster {
  readonly first: number;
  readonly height: number;
  /** Where the top of each member would put the top of the cluster. */
  readonly tops: readonly number[];
}

/** Centres of labels, as near to the wanted ones (ascending) as they can be without overlap inside [low, high]. */
export function spread(wanted: readonly number[], heights: readonly number[], low: number, high: number): number[] {
  const topOf = ({ tops, height }: Cluster) => {
    const mean = tops.reduce((sum, top) => sum + top, 0) / tops.length;
    return Math.max(low, Math.min(mean, high - height));
  };
  const clusters: Cluster[] = [];
  wanted.forEach((centre, n) => {
    let last: Cluster = { first: n, height: heights[n], tops: [centre - heights[n] / 2] };
    for (
      let above = clusters.at(-1);
      above && topOf(above) + above.height + GAP > topOf(last);
      above = clusters.at(-1)
    ) {
      clusters.pop();
      last = joined(above, last);
    }
    clusters.push(last);
  });
  return clusters.flatMap((cluster) => centresIn(cluster, topOf(cluster), heights));
}

function joined(above: Cluster, below: Cluster): Cluster {
  const offset = above.height + GAP;
  const tops = [...above.tops, ...below.tops.map((top) => top - offset)];
  return { first: above.first, height: offset + below.height, tops };
}

function centresIn({ first, tops }: Cluster, top: number, heights: readonly number[]): number[] {
  let y = top;
  return tops.map((_, n) => {
    const height = heights[first + n];
    const centre = y + height / 2;
    y += height + GAP;
    return centre;
  });
}

function paintBound(ctx: SKRSContext2D, area: PlotArea, label: BoundLabel, centre: number): void {
  const y = area.y(label.value);
  ctx.save();
  ctx.strokeStyle = INK;
  ctx.lineWidth = 1;
  ctx.setLineDash([6, 4]);
  stroke(ctx, [area.left, y], [area.right, y]);
  ctx.setLineDash([]);
  ctx.strokeStyle = AXIS;
  stroke(ctx, [area.right, y], [area.right + LEADER - 4, centre]);
  ctx.fillStyle = INK;
  ctx.font = font(11);
  ctx.textBaseline = 'middle';
  label.lines.forEach((line, n) => {
    ctx.fillText(line, area.right + LEADER, centre + (n - (label.lines.length - 1) / 2) * LINE);
  });
  ctx.restore();
}

function stroke(ctx: SKRSContext2D, from: readonly [number, number], to: readonly [number, number]): void {
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
}

function wrap(ctx: SKRSContext2D, text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && ctx.measureText(`${last} ${word}`).width <= LONGEST)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
