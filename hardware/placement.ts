import { type Afferent, sourceCount, type Target, targetsOf } from './afferents.ts';
import { atLeast, type Check, counted, fail, pass } from './check.ts';
import type { Demand } from './demand.ts';
import {
  arriving,
  largestFanOut,
  listed,
  type Obstacle,
  obstaclesOf,
  type PlacementLimit,
  unknownOf,
} from './limits.ts';
import { beyond, type ChipProfile, type Limit } from './profile.ts';
import type { Stored } from './widths.ts';

/** Neurons of a population, or outputs of a readout, that lie on one core. */
export interface PlacedPart {
  /** What it is a part of. */
  readonly of: 'population' | 'readout';
  /** Of the population or the readout. */
  readonly name: string;
  /** The first neuron, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/** What a core holds, with all synapses onto its neurons. */
export interface Core {
  /** In the order in which they were laid there. */
  readonly parts: readonly PlacedPart[];
  /** Those of readouts only where they are neurons of the core. */
  readonly neurons: number;
  /** Onto its neurons and outputs. */
  readonly synapses: number;
  /** Synaptic memory, headers and indices included, byte. */
  readonly bytes: number;
  /** Sources that reach it; one whose synapses learn takes as many as the chip says. */
  readonly axons: number;
  /** Most synapses of one neuron. */
  readonly fanIn: number;
  /** The longest delay of a synapse, steps. */
  readonly delaySteps: number;
  /** The limit that kept the next neuron away; null: there was none. */
  readonly full: CoreLimit | null;
}

export type CoreLimit = 'neurons' | 'axons' | 'synapse memory';

/** How the neurons of a network lie on the cores of a chip. */
export interface Placement {
  /** In the order in which they were filled. */
  readonly cores: readonly Core[];
  /** All neurons lie on cores; where one found no place on an empty core, only those before it. */
  readonly complete: boolean;
  /** Cores of the chip; null: not known. */
  readonly offered: Limit['value'];
  /** Synaptic memory of a core of the chip, byte; null: not known. */
  readonly coreBytes: Limit['value'];
  /** Most synapses that leave a neuron. */
  readonly fanOut: number;
  /** What stands in the way, by population, projection or readout; empty: the network fits. */
  readonly obstacles: readonly Obstacle[];
  /** What the chip would have to offer so that nothing did: behind an obstacle there may be others. */
  readonly needs: readonly { readonly limit: PlacementLimit; readonly least: number }[];
  /** Limits that the profile does not know: nothing is held against them. */
  readonly unknown: readonly string[];
}

/**
 * Lays neurons on cores: populations in the order of the file, then readouts. A core is filled until one of its limits is hit, then the
 * next one is begun. Synapses lie on the core of the neuron that they end on.
 */
export function place(demand: Demand, chip: ChipProfile, learning: readonly Stored[]): Placement {
  const placed = placeOn(demand, chip, learning);
  return { ...placed, needs: needsOf(placed.obstacles, demand, chip, learning) };
}

function placeOn(demand: Demand, chip: ChipProfile, learning: readonly Stored[]): Omit<Placement, 'needs'> {
  const targets = targetsOf(demand, chip, learning);
  const { cores, stuck } = fill(targets, sourceCount(demand), chip);
  return {
    cores,
    complete: stuck === null,
    offered: chip.cores.value,
    coreBytes: chip.coreMemory.value,
    fanOut: largestFanOut(demand),
    obstacles: [...obstaclesOf(targets, demand, chip), ...(stuck ? [stuck] : tooMany(cores, chip))],
    unknown: unknownOf(targets, demand, chip),
  };
}

/** Obstacles are taken away until there is none, which shows those that come to light only then. */
function needsOf(
  first: readonly Obstacle[],
  demand: Demand,
  chip: ChipProfile,
  learning: readonly Stored[],
): Placement['needs'] {
  const needs = new Map<PlacementLimit, number>();
  let obstacles = first;
  while (obstacles.length > 0) {
    for (const { limit, least } of obstacles) needs.set(limit, Math.max(least, needs.get(limit) ?? 0));
    const offered = Object.fromEntries([...needs].map(([limit, value]) => [limit, { ...chip[limit], value }]));
    obstacles = placeOn(demand, { ...chip, ...offered }, learning).obstacles;
  }
  return [...needs].map(([limit, least]) => ({ limit, least }));
}

/** What is on the core that is being filled. */
type Load = Omit<Core, 'parts' | 'full' | 'bytes'> & { readonly bits: number };

const nothing: Load = { neurons: 0, synapses: 0, bits: 0, axons: 0, fanIn: 0, delaySteps: 0 };

/** Which sources reach the core that is being filled. */
interface Reached {
  /** Axons that each source takes there. [sources] */
  readonly axons: Int32Array;
  /** Synapses of each source there, by projection. [sources] */
  readonly rows: ReadonlyMap<Afferent, Int32Array>;
}

function fill(targets: readonly Target[], sources: number, chip: ChipProfile) {
  const cores: Core[] = [];
  const reached: Reached = {
    axons: new Int32Array(sources),
    rows: new Map(targets.flatMap(({ afferents }) => afferents.map((one) => [one, new Int32Array(sources)]))),
  };
  let load = nothing;
  let parts: PlacedPart[] = [];
  const close = (full: CoreLimit | null) => {
    const { bits, ...held } = load;
    if (parts.length > 0) cores.push({ parts, ...held, bytes: bits / 8, full });
    load = nothing;
    parts = [];
    reached.axons.fill(0);
    for (const counts of reached.rows.values()) counts.fill(0);
  };
  for (const target of targets) {
    if (!chip.mixedCores.value) close(null);
    let from = 0;
    for (let j = 0; j < target.size; j++) {
      let next = withNeuron(load, target, j, j - from, reached, chip);
      const full = fullBy(next, chip);
      if (full && parts.length > 0) {
        close(full);
        from = j;
        next = withNeuron(load, target, j, 0, reached, chip);
      }
      const alone = fullBy(next, chip);
      if (alone) return { cores, stuck: needsMore(next, alone, target, j, chip) };
      load = next;
      const { kind, name } = target;
      parts = [...(j > from ? parts.slice(0, -1) : parts), { of: kind, name, from, to: j + 1 }];
    }
  }
  close(null);
  return { cores, stuck: null };
}

/** The core with one more neuron. @param here neurons of its population that are there already */
function withNeuron(
  load: Load,
  { afferents, matrices, neurons }: Target,
  j: number,
  here: number,
  { axons: taken, rows }: Reached,
  { learningAxons }: ChipProfile,
): Load {
  let { bits, axons, delaySteps } = load;
  let fanIn = 0;
  for (const afferent of afferents) {
    const { parts, rowBits } = afferent;
    const counts = rows.get(afferent) as Int32Array;
    for (const { start, sources, delay, learns } of parts) {
      const each = learns ? learningAxons : 1;
      const arriving = start[j + 1] - start[j];
      fanIn += arriving;
      if (arriving > 0) delaySteps = Math.max(delaySteps, delay);
      for (let s = start[j]; s < start[j + 1]; s++) {
        const i = sources[s];
        const n = counts[i]++;
        bits += rowBits[n + 1] - rowBits[n];
        if (taken[i] >= each) continue;
        axons += each - taken[i];
        taken[i] = each;
      }
    }
  }
  for (const { rows: own, rowBits } of matrices) bits += own * (rowBits[here + 1] - rowBits[here]);
  return {
    neurons: load.neurons + (neurons ? 1 : 0),
    synapses: load.synapses + fanIn,
    bits,
    axons,
    fanIn: Math.max(load.fanIn, fanIn),
    delaySteps,
  };
}

function fullBy(load: Load, chip: ChipProfile): CoreLimit | null {
  if (beyond(load.neurons, chip.neuronsPerCore)) return 'neurons';
  if (beyond(load.axons, chip.axonsPerCore)) return 'axons';
  return beyond(load.bits / 8, chip.coreMemory) ? 'synapse memory' : null;
}

/** A neuron that no core can hold. */
function needsMore(load: Load, limit: CoreLimit, target: Target, j: number, chip: ChipProfile): Obstacle {
  const { kind, name, afferents } = target;
  const synapses = listed(arriving(afferents, j));
  const neuron = `${kind} ${name}: ${kind === 'readout' ? 'output' : 'neuron'} ${j} alone (${synapses}) takes`;
  const offered = ({ value, kind: provenance }: Limit) => `${value} a core offered (${provenance})`;
  switch (limit) {
    case 'neurons':
      return {
        because: `${neuron} ${counted(load.neurons, 'neuron')}, ${offered(chip.neuronsPerCore)}`,
        limit: 'neuronsPerCore',
        least: load.neurons,
      };
    case 'axons':
      return {
        because: `${neuron} ${counted(load.axons, 'axon')}, ${offered(chip.axonsPerCore)}`,
        limit: 'axonsPerCore',
        least: load.axons,
      };
    case 'synapse memory':
      return {
        because: `${neuron} ${Math.ceil(load.bits / 8)} bytes of synapse memory, ${offered(chip.coreMemory)}`,
        limit: 'coreMemory',
        least: Math.ceil(load.bits / 8),
      };
    default:
      return limit satisfies never;
  }
}

function tooMany(cores: readonly Core[], { cores: offered }: ChipProfile): Obstacle[] {
  if (!beyond(cores.length, offered)) return [];
  const limits = (['neurons', 'axons', 'synapse memory'] as const).flatMap((limit) => {
    const count = cores.filter(({ full }) => full === limit).length;
    return count > 0 ? [`${count} full by ${limit}`] : [];
  });
  const why = limits.length > 0 ? ` (${limits.join(', ')})` : '';
  const because = `${counted(cores.length, 'core')}${why}, ${offered.value} offered (${offered.kind})`;
  return [{ because, limit: 'cores', least: cores.length }];
}

/** 3 of 128 cores. */
export function coresInWords({ cores, complete, offered }: Placement): string {
  if (!complete) return 'no number of cores';
  if (typeof offered !== 'number') return counted(cores.length, 'core');
  return `${cores.length} of ${counted(offered, 'core')}`;
}

export function placementCheck(placement: Placement): Check {
  const name = 'placement';
  const { cores, fanOut, obstacles, needs, unknown } = placement;
  if (obstacles.length > 0) {
    const because = obstacles.map((obstacle) => obstacle.because).join('; ');
    return fail(name, because, needs.map(({ limit, least }) => atLeast(limit, least)).join(' and '));
  }
  const bytes = Math.ceil(cores.reduce((sum, core) => sum + core.bytes, 0));
  const fanIn = cores.reduce((most, core) => Math.max(most, core.fanIn), 0);
  const delay = cores.reduce((most, core) => Math.max(most, core.delaySteps), 0);
  const said = `fits on ${coresInWords(placement)}: ${bytes} bytes of synapses, fan-in ${fanIn}, fan-out ${fanOut}, delay ${counted(delay, 'step')}`;
  return pass(name, unknown.length > 0 ? `${said}; not known: ${unknown.join(', ')}` : said);
}
