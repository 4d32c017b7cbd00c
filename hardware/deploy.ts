import type { Demand, Variable } from './demand.ts';
import type { ChipProfile } from './profile.ts';

/** One question that a chip has to answer. */
export interface Check {
  readonly name: string;
  readonly status: 'pass' | 'degraded' | 'fail';
  /** The number that decided, with its limit, or why there is none. */
  readonly because: string;
}

export interface Deployment {
  readonly chip: string;
  readonly verdict: 'fits' | 'fits with' | 'does not fit';
  /** The first constraint that is violated, or the approximations that are needed. */
  readonly reasons: readonly string[];
  readonly checks: readonly Check[];
  readonly inventory: readonly (Variable & { readonly bits: number; readonly bytes: number })[];
  /** Bytes of inference (weights and membranes), bytes that learning adds, and their ratio. */
  readonly inferenceBytes: number;
  readonly learningBytes: number;
  readonly overhead: number;
}

/** Width of a membrane that inference keeps, bit. */
const membraneBits = 16;

/** Whether a network with its rule would fit a chip, and the numbers behind the verdict. */
export function deploy(demand: Demand, chip: ChipProfile): Deployment {
  const inventory = (demand.learning?.variables ?? []).map((variable) => {
    const bits = widthOf(variable, chip);
    return { ...variable, bits, bytes: (variable.count * bits) / 8 };
  });
  const { rec } = demand.sizes;
  const weights = ((demand.synapses + demand.readoutSynapses) * weightBits(chip)) / 8;
  const inferenceBytes = weights + (rec * membraneBits) / 8;
  const learningBytes = inventory.reduce((sum, { bytes }) => sum + bytes, 0);
  const checks = checksOf(demand, chip, inventory, weights);
  const failed = checks.filter(({ status }) => status === 'fail');
  const degraded = checks.filter(({ status }) => status === 'degraded');
  const worst = failed.length > 0 ? failed.slice(0, 1) : degraded;
  return {
    chip: chip.id,
    verdict: failed.length > 0 ? 'does not fit' : degraded.length > 0 ? 'fits with' : 'fits',
    reasons: worst.map(({ name, because }) => `${name}: ${because}`),
    checks,
    inventory,
    inferenceBytes,
    learningBytes,
    overhead: learningBytes / inferenceBytes,
  };
}

function weightBits({ weightBits: { value } }: ChipProfile): number {
  return value ?? 64;
}

/** Matrices are as wide as weights, an adaptation's eligibility and vectors 16 bits, traces as wide as the chip's. */
function widthOf({ kind, name }: Variable, chip: ChipProfile): number {
  if (kind === 'matrix') return weightBits(chip);
  if (name === 'signal.features') return 1;
  if (kind === 'vector') return 16;
  // A chip without traces would need them as wide as others have them.
  const bits = chip.traceBits.value || 12;
  return name.startsWith('trace.epsA') ? Math.max(16, bits) : bits;
}

type Inventory = Deployment['inventory'];

function checksOf(demand: Demand, chip: ChipProfile, inventory: Inventory, weightBytes: number): Check[] {
  const { learning } = demand;
  const network = [neuronModel(demand, chip), limits(demand, chip)];
  const costs = [memory(demand, chip, inventory, weightBytes), energy(chip)];
  if (!learning) return [...network, ...costs];
  return [
    form(learning, chip),
    synapseState(learning, chip, inventory, demand),
    locality(learning, chip),
    thirdFactor(learning, chip),
    ...network,
    schedule(learning, chip),
    weights(chip),
    randomness(chip),
    epoch(learning, chip),
    optimiser(learning),
    feedbackPath(learning),
    ...costs,
  ];
}

const pass = (name: string, because: string): Check => ({ name, status: 'pass', because });
const fail = (name: string, because: string): Check => ({ name, status: 'fail', because });
const degraded = (name: string, because: string): Check => ({ name, status: 'degraded', because });

type Learning = NonNullable<Demand['learning']>;

function synapseState(learning: Learning, chip: ChipProfile, inventory: Inventory, demand: Demand): Check {
  const name = 'state per synapse';
  if (learning.direct) return fail(name, 'the rule keeps the past of the whole network, not a trace per synapse');
  const traces = inventory.filter(({ home, kind }) => home === 'synapse' && kind === 'trace');
  const bits = traces.reduce((sum, variable) => sum + variable.bits * variable.count, 0) / demand.synapses;
  const offered = chip.synapseStateBits.value;
  if (offered !== null && bits > offered) {
    return fail(name, `${bits.toFixed(0)} bit beside the weight, ${offered} offered (${chip.synapseStateBits.kind})`);
  }
  return pass(name, `${bits.toFixed(0)} bit beside the weight`);
}

function locality(learning: Learning, chip: ChipProfile): Check {
  const name = 'locality';
  if (learning.direct) return fail(name, 'an update needs the states of other neurons and of earlier steps');
  const pair = learning.variables.find(({ home }) => home === 'pair');
  if (pair && !chip.learning.transpose) {
    return fail(name, `${pair.name} is read along its rows and its columns: two mirrored copies would be needed`);
  }
  const transported = learning.reads.filter((quantity) => quantity === 'wOut' || quantity === 'wRec');
  if (transported.length > 0 && !chip.learning.transpose) {
    return fail(name, `${transported.join(', ')} read at neurons it does not end on (weight transport)`);
  }
  if (pair) return degraded(name, `${pair.name} is read both ways: a second pass over its rows`);
  return pass(name, 'every factor is presynaptic, postsynaptic or of the synapse');
}

function thirdFactor({ direct }: Learning, chip: ChipProfile): Check {
  const name = 'third factor';
  const { thirdFactor: offered } = chip.learning;
  if (direct) return fail(name, 'no learning signal of a neuron carries this rule');
  if (offered === 'per-neuron') return pass(name, 'a signal of every neuron reaches its synapses');
  return fail(name, `${offered}, and the rule needs one signal a neuron`);
}

function form(learning: Learning, chip: ChipProfile): Check {
  const name = 'form of the rule';
  const { engine, fixedRule } = chip.learning;
  if (engine === 'none') return fail(name, 'the chip does not learn');
  if (learning.direct) return fail(name, 'no product of a trace and a signal');
  if (engine !== 'fixed-rule') return pass(name, engine);
  const matrices = learning.variables.filter(
    ({ kind, name: variable }) => kind === 'matrix' && variable !== 'signal.B',
  );
  if (fixedRule === 'factored-eprop' && learning.factored && matrices.length === 0) {
    return pass(name, 'trace of the presynaptic neuron times factors of the postsynaptic one: the rule in hardware');
  }
  const what =
    matrices.length > 0 ? `learns ${matrices.map((m) => m.name).join(' and ')} too` : 'trace does not factor';
  return fail(name, `a fixed rule in hardware (${fixedRule ?? 'not this one'}), and this one ${what}`);
}

function neuronModel(demand: Demand, chip: ChipProfile): Check {
  const name = 'neuron model';
  if (!demand.spiking && !chip.gradedActivity) return fail(name, 'rates, and neurons of the chip send spikes');
  if (demand.adaptive && !chip.adaptiveThreshold) return fail(name, 'an adaptive threshold, which the chip lacks');
  if (demand.reset && !chip.resets.includes(demand.reset)) {
    return degraded(name, `reset "${chip.resets.join('" or "')}" in place of "${demand.reset}"`);
  }
  const limit = chip.refractorySteps.value;
  if (limit !== null && demand.refractory > 1 && demand.refractory - 1 > limit) {
    return fail(name, `${demand.refractory - 1} refractory steps, ${limit} offered`);
  }
  return pass(name, 'as it is');
}

function limits({ sizes, delaySteps, largestFanIn }: Demand, chip: ChipProfile): Check {
  const name = 'sizes';
  const beyond = (value: number, limit: number | null) => limit !== null && value > limit;
  if (beyond(sizes.rec, chip.neurons.value)) return fail(name, `${sizes.rec} neurons, ${chip.neurons.value} offered`);
  if (beyond(largestFanIn, chip.fanIn.value)) {
    return fail(name, `fan-in ${largestFanIn.toFixed(0)}, ${chip.fanIn.value} offered (${chip.fanIn.kind})`);
  }
  if (delaySteps > 1 && beyond(delaySteps, chip.delaySteps.value)) {
    return fail(name, `delay of ${delaySteps} steps, ${chip.delaySteps.value} offered`);
  }
  return pass(name, `${sizes.rec} neurons, fan-in ${largestFanIn.toFixed(0)}`);
}

function schedule({ dendritic }: Learning, chip: ChipProfile): Check {
  const name = 'phases';
  if (!dendritic) return pass(name, 'one');
  if (chip.compartments < 2) return fail(name, 'a distal compartment beside the soma, and neurons have one');
  if (chip.learning.phases) return pass(name, 'somatic and distal phase');
  return degraded(name, 'no phases: the distal voltage comes one step late');
}

function weights(chip: ChipProfile): Check {
  const name = 'weights';
  const { value, kind } = chip.weightBits;
  if (!chip.signedWeights) return degraded(name, `${value} bit without sign: one sign per presynaptic neuron`);
  return pass(name, `${value} bit (${kind})`);
}

function randomness(chip: ChipProfile): Check {
  const name = 'randomness';
  if (chip.stochasticRounding || weightBits(chip) >= 16)
    return pass(name, 'stochastic rounding, or words wide enough without');
  return degraded(name, `no stochastic rounding at ${weightBits(chip)} bit: updates below one step are lost`);
}

function epoch({ perTrial }: Learning, chip: ChipProfile): Check {
  const name = 'update';
  if (perTrial)
    return degraded(name, 'between trials: a sum of the gradient per synapse, or updates at every step instead');
  if (!chip.learning.everyStep) return degraded(name, 'at every step asked, in a slower loop offered');
  return pass(name, 'at every step');
}

function optimiser({ slots }: Learning): Check {
  if (slots > 0)
    return fail('optimiser', `${slots} more number${slots > 1 ? 's' : ''} per synapse; plain SGD needs none`);
  return pass('optimiser', 'plain SGD');
}

function feedbackPath({ reads, variables }: Learning): Check {
  const name = 'feedback';
  const label = reads.includes('target') ? ' and the target' : '';
  const own = variables.find(({ name: variable }) => variable.endsWith('.B'));
  return pass(name, `errors${label} broadcast${own ? ` through ${own.count} stored feedback weights` : ''}`);
}

function memory(demand: Demand, chip: ChipProfile, inventory: Inventory, weightBytes: number): Check {
  const name = 'memory';
  const limit = chip.synapseMemory.value;
  const synaptic = inventory.filter(({ home, kind }) => home === 'synapse' || home === 'pair' || kind === 'matrix');
  const bytes = weightBytes + synaptic.reduce((sum, variable) => sum + variable.bytes, 0);
  const said = `${Math.round(bytes)} bytes of synapses`;
  if (limit !== null && bytes > limit) return fail(name, `${said}, ${limit} offered (${chip.synapseMemory.kind})`);
  const perCore = chip.neuronsPerCore.value;
  const cores = perCore === null ? 1 : Math.ceil(demand.sizes.rec / perCore);
  return pass(name, `${said}, ${cores} core${cores > 1 ? 's' : ''} by neurons`);
}

function energy({ energyPerSynapticEvent: { value, source, kind } }: ChipProfile): Check {
  return pass('energy', value === null ? 'no figure' : `${value} pJ per synaptic event (${kind}: ${source})`);
}
