import type { Target } from './afferents.ts';
import type { Demand } from './demand.ts';
import { beyond, type ChipProfile, type Limit } from './profile.ts';

/** What stands in the way of a placement, and what would take it away. */
export interface Obstacle {
  readonly because: string;
  /** The limit, and the least of it that would do. */
  readonly limit: PlacementLimit;
  readonly least: number;
}

/** Limits that a placement meets. */
export type PlacementLimit =
  | 'fanIn'
  | 'fanOut'
  | 'delaySteps'
  | 'neuronsPerCore'
  | 'axonsPerCore'
  | 'coreMemory'
  | 'cores';

/** Limits of a single neuron or synapse, which no placement helps with: fan-in, fan-out, delay. Of each population the worst neuron. */
export function obstaclesOf(targets: readonly Target[], demand: Demand, chip: ChipProfile): Obstacle[] {
  return [
    ...targets.filter(({ neurons }) => neurons).flatMap((target) => fanInOf(target, chip)),
    ...demand.populations.flatMap((_, p) => fanOutOf(demand, p, chip)),
    ...delaysOf(demand, chip),
  ];
}

/** Numbers of synapses by name, those of one neuron. */
type Share = readonly [name: string, count: number];

const total = (shares: readonly Share[]) => shares.reduce((sum, [, count]) => sum + count, 0);
export const listed = (shares: readonly Share[]) =>
  shares.flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : [])).join(', ');
const offered = ({ value, kind }: Limit) => `${value} offered (${kind})`;

/** The neuron with most synapses, the first where there are several. */
function worst(size: number, sharesOf: (neuron: number) => Share[]): { neuron: number; shares: Share[] } {
  let most = { neuron: 0, shares: sharesOf(0) };
  for (let neuron = 1; neuron < size; neuron++) {
    const shares = sharesOf(neuron);
    if (total(shares) > total(most.shares)) most = { neuron, shares };
  }
  return most;
}

/** Synapses that arrive at a neuron of a target. */
export function arriving(afferents: Target['afferents'], j: number): Share[] {
  return afferents.map(({ name, parts }) => [name, parts.reduce((sum, { start }) => sum + start[j + 1] - start[j], 0)]);
}

function fanInOf({ kind, name, size, afferents }: Target, { fanIn }: ChipProfile): Obstacle[] {
  const { neuron, shares } = worst(size, (j) => arriving(afferents, j));
  if (!beyond(total(shares), fanIn)) return [];
  const unit = kind === 'readout' ? 'output' : 'neuron';
  const because = `${kind} ${name}: fan-in ${total(shares)} of ${unit} ${neuron} (${listed(shares)}), ${offered(fanIn)}`;
  return [{ because, limit: 'fanIn', least: total(shares) }];
}

function fanOutOf(demand: Demand, p: number, { fanOut }: ChipProfile): Obstacle[] {
  const { neuron, shares } = worst(demand.populations[p].size, leaving(demand, p));
  if (!beyond(total(shares), fanOut)) return [];
  const { name } = demand.populations[p];
  const because = `population ${name}: fan-out ${total(shares)} of neuron ${neuron} (${listed(shares)}), ${offered(fanOut)}`;
  return [{ because, limit: 'fanOut', least: total(shares) }];
}

/** Synapses that leave a neuron of a population, those onto readouts included. */
function leaving({ projections, readouts }: Demand, p: number): (neuron: number) => Share[] {
  const from = projections.filter(({ pre }) => pre === p);
  const read = readouts.filter(({ reads }) => reads.includes(p));
  const wholes = [...new Set(from.map(({ whole }) => whole))].map((name) => {
    return { name, parts: from.filter(({ whole }) => whole === name) };
  });
  const count = (parts: typeof from, i: number) =>
    parts.reduce((sum, { pattern: { rowStart } }) => sum + rowStart[i + 1] - rowStart[i], 0);
  return (i) => [
    ...wholes.map(({ name, parts }): Share => [name, count(parts, i)]),
    ...read.map(({ name, outputs }): Share => [name, outputs]),
  ];
}

/** Most synapses that leave a neuron. */
export function largestFanOut(demand: Demand): number {
  return demand.populations.reduce(
    (most, { size }, p) => Math.max(most, total(worst(size, leaving(demand, p)).shares)),
    0,
  );
}

/** One step is what every spike takes. Of each projection of the configuration the longest. */
function delaysOf({ projections }: Demand, { delaySteps }: ChipProfile): Obstacle[] {
  const longest = new Map<string, number>();
  for (const { whole, delay } of projections) {
    if (delay > 1 && beyond(delay, delaySteps)) longest.set(whole, Math.max(delay, longest.get(whole) ?? 0));
  }
  return [...longest].map(([name, delay]) => ({
    because: `projection ${name}: delay of ${delay} steps, ${offered(delaySteps)}`,
    limit: 'delaySteps',
    least: delay,
  }));
}

/** What the profile does not say and this network asks about. */
export function unknownOf(targets: readonly Target[], { projections }: Demand, chip: ChipProfile): string[] {
  const delayed = projections.some(({ delay }) => delay > 1);
  const layers = projections.filter(({ pre, delay }) => pre !== null && delay === 0).map(({ whole }) => whole);
  const asked: readonly (readonly [string, Limit | ChipProfile['mixedCores'], boolean])[] = [
    ['number of cores', chip.cores, true],
    ['neurons of a core', chip.neuronsPerCore, true],
    ['synapse memory of a core', chip.coreMemory, true],
    ['axons of a core', chip.axonsPerCore, true],
    ['fan-in', chip.fanIn, true],
    ['fan-out', chip.fanOut, true],
    ['longest delay', chip.delaySteps, delayed],
    ['whether populations can share a core (kept apart)', chip.mixedCores, targets.length > 1],
  ];
  const unknown = asked.filter(([, { value }, needed]) => needed && value === null).map(([what]) => what);
  return layers.length > 0 ? [...unknown, `spikes that act within their step (${layers.join(', ')})`] : unknown;
}
