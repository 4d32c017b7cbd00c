import type { SKRSContext2D } from '@napi-rs/canvas';
import { ConfigError } from '../core/errors.ts';
import { checkNotEmpty, checkOptions } from './check.ts';
import { font } from './font.ts';
import { finish, MARGIN, openFrame, scaleOf, topOf } from './frame.ts';
import { AXIS, FAINT, INK, PAPER, seriesColour } from './palette.ts';
import type { FigureOptions, NetworkData, NetworkEdge, NetworkNode } from './types.ts';

const BOX = { width: 132, height: 58 };
const GAP = { x: 172, y: 78 };
/** Room for the loop of a population onto itself, and for projections that go back. */
const HEAD = 46;
const HEAD_LENGTH = 8;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A cubic curve from one box to another. */
type Curve = readonly [Point, Point, Point, Point];

/**
 * A network as boxes and arrows: excitatory projections end in a blue arrow, inhibitory ones in a vermilion bar, those of
 * either sign in a grey arrow; projections that do not learn are dashed.
 * @throws ConfigError for an edge between nodes that are not there
 */
export function renderNetwork(data: NetworkData, options: FigureOptions = {}): Uint8Array {
  checkOptions(options);
  checkNotEmpty('nodes', data.nodes, 'node');
  const title = options.title ?? data.title;
  const places = placesOf(data.nodes);
  const columns = 1 + Math.max(...data.nodes.map(({ column }) => column));
  const rows = Math.max(...places.map(({ row }) => row)) + 1;
  const width = 2 * MARGIN + columns * BOX.width + (columns - 1) * GAP.x + 60;
  const height = topOf(title) + HEAD + rows * BOX.height + (rows - 1) * GAP.y + HEAD;
  const scale = scaleOf(options);
  const frame = openFrame(options.width ?? width, options.height ?? height, options, title);
  const { ctx } = frame;
  ctx.save();
  ctx.scale(scale, scale);
  const corners = places.map(({ node, row }) => ({
    x: MARGIN + node.column * (BOX.width + GAP.x),
    y: frame.top + HEAD + (row + (rows - countIn(data.nodes, node.column)) / 2) * (BOX.height + GAP.y),
  }));
  const curves = data.edges.map((edge, n) => curveOf(data, edge, n, corners));
  data.edges.forEach((edge, n) => {
    drawEdge(ctx, edge, curves[n]);
  });
  data.nodes.forEach((node, n) => {
    drawNode(ctx, node, corners[n]);
  });
  data.edges.forEach((edge, n) => {
    drawLabel(ctx, edge, at(curves[n], labelPlace(edge, n)));
  });
  ctx.restore();
  return finish(frame);
}

/** Nodes of a column stand one below the other, in their order. */
function placesOf(nodes: readonly NetworkNode[]): { readonly node: NetworkNode; readonly row: number }[] {
  const filled = new Map<number, number>();
  return nodes.map((node) => {
    const row = filled.get(node.column) ?? 0;
    filled.set(node.column, row + 1);
    return { node, row };
  });
}

function countIn(nodes: readonly NetworkNode[], column: number): number {
  return nodes.filter((node) => node.column === column).length;
}

function curveOf({ nodes }: NetworkData, { from, to }: NetworkEdge, n: number, corners: readonly Point[]): Curve {
  const [a, b] = [from, to].map((name) => nodes.findIndex((node) => node.name === name));
  if (a < 0 || b < 0) throw new ConfigError(`edges[${n}]`, `${from} -> ${to}`, 'names of nodes');
  const [p, q] = [corners[a], corners[b]];
  const [middleP, middleQ] = [p.y + BOX.height / 2, q.y + BOX.height / 2];
  if (a === b) {
    // Above the box, or below the last one of a column, where nothing else passes; at the side of one that has both neighbours.
    const column = corners.filter((_, m) => nodes[m].column === nodes[a].column).map(({ y }) => y);
    const [first, last] = [Math.min(...column), Math.max(...column)];
    if (p.y > first && p.y < last) {
      const [x, reach] = [p.x + BOX.width, 46];
      const [up, down] = [p.y + BOX.height * 0.15, p.y + BOX.height * 0.85];
      return [point(x, up), point(x + reach, up - 12), point(x + reach, down + 12), point(x, down)];
    }
    const [left, right] = [p.x + BOX.width * 0.3, p.x + BOX.width * 0.7];
    const [edge, away] = p.y > first ? [p.y + BOX.height, 46] : [p.y, -46];
    return [point(left, edge), point(left - 22, edge + away), point(right + 22, edge + away), point(right, edge)];
  }
  if (nodes[a].column === nodes[b].column) {
    // One way down the left side of the middle, the other up the right side.
    const down = p.y < q.y;
    const x = p.x + BOX.width * (down ? 0.2 : 0.8);
    const bend = down ? -24 : 24;
    const [from, end] = down ? [p.y + BOX.height, q.y] : [p.y, q.y + BOX.height];
    return [
      point(x, from),
      point(x + bend, from + (end - from) / 3),
      point(x + bend, from + (2 * (end - from)) / 3),
      point(x, end),
    ];
  }
  if (nodes[a].column < nodes[b].column) {
    const [x0, x1] = [p.x + BOX.width, q.x];
    const reach = (x1 - x0) / 2;
    return [point(x0, middleP), point(x0 + reach, middleP), point(x1 - reach, middleQ), point(x1, middleQ)];
  }
  const low = Math.max(p.y, q.y) + BOX.height + 40;
  const [x0, x1] = [p.x + BOX.width / 2, q.x + BOX.width / 2];
  return [point(x0, p.y + BOX.height), point(x0, low), point(x1, low), point(x1, q.y + BOX.height)];
}

function point(x: number, y: number): Point {
  return { x, y };
}

/** Labels of curves side by side do not lie upon each other. */
function labelPlace({ from, to }: NetworkEdge, n: number): number {
  return from === to ? 0.5 : 0.5 + 0.12 * ((n % 3) - 1);
}

function at([a, b, c, d]: Curve, s: number): Point {
  const r = 1 - s;
  const mix = (of: 'x' | 'y') => r ** 3 * a[of] + 3 * r * r * s * b[of] + 3 * r * s * s * c[of] + s ** 3 * d[of];
  return { x: mix('x'), y: mix('y') };
}

function colourOf({ sign }: NetworkEdge): string {
  if (sign === 'excitatory') return seriesColour(0);
  return sign === 'inhibitory' ? seriesColour(1) : AXIS;
}

function drawEdge(ctx: SKRSContext2D, edge: NetworkEdge, curve: Curve): void {
  const [a, b, c, d] = curve;
  ctx.save();
  ctx.strokeStyle = colourOf(edge);
  ctx.fillStyle = ctx.strokeStyle;
  ctx.lineWidth = 1.6;
  ctx.setLineDash(edge.plastic ? [] : [5, 3]);
  ctx.beginPath();
  ctx.moveTo(a.x, a.y);
  ctx.bezierCurveTo(b.x, b.y, c.x, c.y, d.x, d.y);
  ctx.stroke();
  ctx.setLineDash([]);
  const angle = Math.atan2(d.y - c.y, d.x - c.x);
  ctx.translate(d.x, d.y);
  ctx.rotate(angle);
  ctx.beginPath();
  if (edge.sign === 'inhibitory') {
    ctx.rect(-4, -6, 3, 12);
    ctx.fill();
  } else {
    ctx.moveTo(0, 0);
    ctx.lineTo(-HEAD_LENGTH, -4);
    ctx.lineTo(-HEAD_LENGTH, 4);
    ctx.closePath();
    ctx.fill();
  }
  ctx.restore();
}

function drawNode(ctx: SKRSContext2D, { name, lines, kind }: NetworkNode, corner: Point): void {
  ctx.save();
  ctx.fillStyle = kind === 'population' ? PAPER : FAINT;
  ctx.strokeStyle = INK;
  ctx.lineWidth = kind === 'population' ? 1.6 : 1;
  ctx.beginPath();
  ctx.roundRect(corner.x, corner.y, BOX.width, BOX.height, 6);
  ctx.fill();
  ctx.stroke();
  ctx.fillStyle = INK;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  const middle = corner.x + BOX.width / 2;
  ctx.font = font(12, 'bold');
  ctx.fillText(name, middle, corner.y + 15, BOX.width - 10);
  ctx.font = font(11);
  lines.forEach((line, n) => {
    ctx.fillText(line, middle, corner.y + 32 + 14 * n, BOX.width - 10);
  });
  ctx.restore();
}

function drawLabel(ctx: SKRSContext2D, edge: NetworkEdge, { x, y }: Point): void {
  if (edge.label === '') return;
  ctx.save();
  ctx.font = font(10);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  const width = ctx.measureText(edge.label).width + 6;
  ctx.fillStyle = PAPER;
  ctx.fillRect(x - width / 2, y - 7, width, 14);
  ctx.fillStyle = colourOf(edge) === AXIS ? INK : colourOf(edge);
  ctx.fillText(edge.label, x, y);
  ctx.restore();
}
