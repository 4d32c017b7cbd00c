import { type Check, counted, fail, pass } from './check.ts';
import type { Demand } from './demand.ts';
import type { ChipProfile } from './profile.ts';
import { type Stored, weightBits } from './widths.ts';

/** How a network would lie on the cores of a chip. */
export interface MemoryMap {
  /** Weights and learning state of all synapses, packed without overhead. */
  readonly synapseBytes: number;
  /** Synaptic memory of the fullest core, headers and indices included, with as many cores as are needed. */
  readonly coreBytes: number;
  /** Cores that each limit asks for; null: no number of cores is enough. */
  readonly byNeurons: number;
  readonly bySynapses: number | null;
  readonly byFanIn: number | null;
  /** The largest of the three. */
  readonly cores: number | null;
}

/** Synapses that lie row by row, one row for each source. */
export interface Block {
  readonly sources: number;
  readonly targets: number;
  /** Synapses of one source. */
  readonly perSource: number;
  readonly bits: number;
  readonly dense: boolean;
}

export function memoryMap(demand: Demand, chip: ChipProfile, learning: readonly Stored[]): MemoryMap {
  const { neurons: n, outputs, inputs } = demand;
  const blocks = blocksOf(demand, chip, learning);
  const capacity = chip.coreMemory.value;
  const neurons = chip.neuronsPerCore.value;
  const byNeurons = neurons === null ? 1 : Math.ceil(n / neurons);
  const coreBytes = (cores: number) => blocks.reduce((sum, block) => sum + bytesOnCore(block, cores, chip), 0);
  const bySynapses = capacity === null ? 1 : fewest(n + outputs, (cores) => coreBytes(cores) <= capacity);
  const factor = demand.learning ? chip.learningAxons : 1;
  const axons = (cores: number) => factor * Math.min(inputs + n, Math.ceil(n / cores) * demand.largestFanIn);
  const offered = chip.axonsPerCore.value;
  const byFanIn = offered === null ? 1 : fewest(n, (cores) => axons(cores) <= offered);
  const cores = bySynapses === null || byFanIn === null ? null : Math.max(byNeurons, bySynapses, byFanIn);
  return {
    synapseBytes: blocks.reduce((sum, { sources, perSource, bits }) => sum + (sources * perSource * bits) / 8, 0),
    coreBytes: coreBytes(cores ?? n),
    byNeurons,
    bySynapses,
    byFanIn,
    cores,
  };
}

function fewest(most: number, fits: (cores: number) => boolean): number | null {
  for (let cores = 1; cores <= most; cores++) if (fits(cores)) return cores;
  return null;
}

function blocksOf(demand: Demand, chip: ChipProfile, learning: readonly Stored[]): Block[] {
  const weight = weightBits(chip);
  const state = learning.filter(({ home, kind }) => home === 'synapse' && kind !== 'matrix');
  const stateBits = state.reduce((sum, { bits, count }) => sum + bits * count, 0) / Math.max(1, demand.synapses);
  const matrices = learning.filter(({ kind }) => kind === 'matrix');
  return [
    ...demand.projections.map(({ sources, targets, synapses, dense }) => {
      return { sources, targets, perSource: synapses / sources, bits: weight + stateBits, dense };
    }),
    ...demand.readouts.map(({ sources, outputs }) => {
      return { sources, targets: outputs, perSource: outputs, bits: weight, dense: true };
    }),
    ...matrices.map(({ count, bits, neurons }) => {
      return { sources: count / neurons, targets: neurons, perSource: neurons, bits, dense: true };
    }),
  ];
}

/** Bytes of the synapses onto the neurons of one of so many cores, among which the targets are shared out. */
export function bytesOnCore(
  { sources, targets, perSource, bits, dense }: Block,
  cores: number,
  chip: ChipProfile,
): number {
  const here = Math.ceil(perSource * (Math.ceil(targets / cores) / targets));
  if (!chip.synapseWord) return (sources * here * bits) / 8;
  const { wordBits, headerBits, blockSynapses, indexBits } = chip.synapseWord;
  const each = bits + (dense ? 0 : indexBits);
  const words = (n: number) => (n === 0 ? 0 : Math.ceil((n * each + headerBits) / wordBits));
  const whole = Math.floor(here / blockSynapses);
  return (sources * wordBits * (whole * words(blockSynapses) + words(here % blockSynapses))) / 8;
}

export function memory(map: MemoryMap, chip: ChipProfile): Check {
  const name = 'memory';
  const { synapseBytes, coreBytes, byNeurons, bySynapses, byFanIn, cores } = map;
  const { synapseMemory, coreMemory, axonsPerCore } = chip;
  const said = `${Math.round(synapseBytes)} bytes of synapses`;
  if (synapseMemory.value !== null && synapseBytes > synapseMemory.value) {
    return fail(name, `${said}, ${synapseMemory.value} offered (${synapseMemory.kind})`);
  }
  if (bySynapses === null) {
    return fail(
      name,
      `${said}: one neuron needs more than the ${coreMemory.value} bytes of a core (${coreMemory.kind})`,
    );
  }
  if (byFanIn === null) {
    return fail(name, `more sources than the ${axonsPerCore.value} axons of a core (${axonsPerCore.kind})`);
  }
  const wanted = `${counted(cores ?? 0, 'core')}: ${byNeurons} by neurons, ${bySynapses} by synapse memory, ${byFanIn} by fan-in`;
  if (chip.cores.value !== null && (cores ?? 0) > chip.cores.value) {
    return fail(name, `${said}; ${wanted}; ${chip.cores.value} offered (${chip.cores.kind})`);
  }
  const filled = coreMemory.value === null ? '' : `, ${Math.round(coreBytes)} of ${coreMemory.value} bytes each`;
  return pass(name, `${said}; ${wanted}${filled}`);
}
