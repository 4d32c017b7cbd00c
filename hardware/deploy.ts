import { type KeptDecay, keptDecays, type Product, productsOf } from './arithmetic.ts';
import type { Check } from './check.ts';
import { checksOf } from './checks.ts';
import type { Demand } from './demand.ts';
import { type Energy, energyOf, type OperationCount, operationsOf } from './operations.ts';
import { type Placement, place } from './placement.ts';
import type { ChipProfile } from './profile.ts';
import { inferenceInventory, learningInventory, type Stored, weightBits } from './widths.ts';

/** What became of one chip. */
export interface Deployment {
  /** Its id. */
  readonly chip: string;
  /** `fits with` approximations, which are the reasons. */
  readonly verdict: 'fits' | 'fits with' | 'does not fit';
  /** The first constraint that is violated, or the approximations that are needed. */
  readonly reasons: readonly string[];
  /** All seventeen, in their order. */
  readonly checks: readonly Check[];
  /** State of learning. */
  readonly inventory: readonly Stored[];
  /** State of inference, but for the weights. */
  readonly inferenceState: readonly Stored[];
  /** Weights and state of inference, packed, byte. */
  readonly inferenceBytes: number;
  /** What learning adds, byte. */
  readonly learningBytes: number;
  /** learningBytes / inferenceBytes. */
  readonly overhead: number;
  /** Neurons on cores. */
  readonly placement: Placement;
  /** Products that change weights; empty where nothing is known of them. */
  readonly products: readonly Product[];
  /** Decays of the network as the chip has them; without those that it makes by subtraction. */
  readonly decays: readonly KeptDecay[];
  /** Of a step, on average. */
  readonly operations: OperationCount;
  /** Of a step, pJ; null: no figure. */
  readonly energy: Energy | null;
}

/** Whether a network with its rule would fit a chip, and the numbers behind the verdict. */
export function deploy(demand: Demand, chip: ChipProfile): Deployment {
  const inventory = learningInventory(demand, chip);
  const inferenceState = inferenceInventory(demand, chip);
  const weights = ((demand.synapses + demand.readoutSynapses) * weightBits(chip)) / 8;
  const inferenceBytes = weights + bytesOf(inferenceState);
  const learningBytes = bytesOf(inventory);
  const placement = place(demand, chip, inventory);
  const operations = operationsOf(demand, chip);
  const energy = energyOf(operations, chip);
  const checks = checksOf(demand, chip, inventory, placement, energy);
  const failed = checks.filter(({ status }) => status === 'fail');
  const degraded = checks.filter(({ status }) => status === 'degraded');
  const worst = failed.length > 0 ? failed.slice(0, 1) : degraded;
  return {
    chip: chip.id,
    verdict: failed.length > 0 ? 'does not fit' : degraded.length > 0 ? 'fits with' : 'fits',
    reasons: worst.map(({ name, because, fitsIf }) => `${name}: ${because}${fitsIf ? `; fits if ${fitsIf}` : ''}`),
    checks,
    inventory,
    inferenceState,
    inferenceBytes,
    learningBytes,
    overhead: learningBytes / inferenceBytes,
    placement,
    products: demand.learning ? productsOf(demand.learning, chip) : [],
    decays: keptDecays(demand, chip),
    operations,
    energy,
  };
}

function bytesOf(variables: readonly Stored[]): number {
  return variables.reduce((sum, { bytes }) => sum + bytes, 0);
}
