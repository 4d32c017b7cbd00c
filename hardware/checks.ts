import { arithmeticWidth, decays } from './arithmetic.ts';
import { atLeast, type Check, type CheckName, checkNames, counted, degraded, fail, localRule, pass } from './check.ts';
import type { Demand, Learning } from './demand.ts';
import { type Energy, energyCheck } from './operations.ts';
import { type Placement, placementCheck } from './placement.ts';
import { beyond, type ChipProfile } from './profile.ts';
import { type Stored, synapseStateBits, weightBits } from './widths.ts';

/** All seventeen, in their order; those of learning pass where the weights of the network do not learn. */
export function checksOf(
  demand: Demand,
  chip: ChipProfile,
  inventory: readonly Stored[],
  placement: Placement,
  energy: Energy | null,
): Check[] {
  const { learning } = demand;
  const asked = [
    neuronModel(demand, chip),
    limits(demand, chip),
    weights(chip),
    decays(demand, chip),
    placementCheck(placement),
    energyCheck(energy),
    upkeep(demand, chip),
    ...(learning ? ofLearning(learning, demand, chip, inventory) : []),
  ];
  const notAsked = (name: CheckName) => pass(name, 'not asked: the weights of the network do not learn');
  return checkNames.map((name) => asked.find((check) => check.name === name) ?? notAsked(name));
}

function ofLearning(learning: Learning, demand: Demand, chip: ChipProfile, inventory: readonly Stored[]): Check[] {
  return [
    form(learning, chip),
    synapseState(learning, chip, inventory, demand),
    locality(learning, chip),
    thirdFactor(learning, chip),
    schedule(learning, chip),
    arithmeticWidth(learning, chip),
    randomness(chip),
    epoch(learning, chip),
    optimiser(learning),
    feedbackPath(learning),
  ];
}

function synapseState(learning: Learning, chip: ChipProfile, inventory: readonly Stored[], demand: Demand): Check {
  const name = 'state per synapse';
  if (learning.direct) return fail(name, `${kept(inventory)}, not a trace per synapse`, localRule);
  const state = synapseStateBits(demand, inventory);
  const bits = Math.max(0, ...state);
  const most = demand.projections[state.indexOf(bits)];
  const { value, kind } = chip.synapseStateBits;
  const said = bits > 0 ? `${bits.toFixed(0)} bit beside the weight of ${most.whole}` : 'nothing beside the weight';
  return beyond(bits, chip.synapseStateBits)
    ? fail(name, `${said}, ${value} offered (${kind})`, atLeast('synapseStateBits', bits))
    : pass(name, said);
}

/** What a direct rule keeps instead. */
function kept(inventory: readonly Stored[]): string {
  const past = inventory.filter(({ kind }) => kind === 'past');
  const bytes = (of: readonly Stored[]) => Math.ceil(of.reduce((sum, variable) => sum + variable.bytes, 0));
  if (past.length === 0) return `the rule keeps ${bytes(inventory)} bytes of influence of the whole network`;
  const { count, perStep } = past[0];
  return `the rule keeps the past of the whole network, ${count / (perStep ?? count)} steps in ${bytes(past)} bytes`;
}

function locality(learning: Learning, chip: ChipProfile): Check {
  const name = 'locality';
  if (learning.direct) return fail(name, 'an update needs the states of other neurons and of earlier steps', localRule);
  const pair = learning.variables.find(({ home }) => home === 'pair');
  if (pair && !chip.learning.transpose) {
    return fail(
      name,
      `${pair.name} is read along its rows and its columns: two mirrored copies would be needed`,
      'learning.transpose is true',
    );
  }
  const transported = learning.reads.filter((quantity) => quantity === 'readout' || quantity === 'weights');
  if (transported.length > 0 && !chip.learning.transpose) {
    const fitsIf = transported.includes('weights')
      ? 'learning.transpose is true'
      : 'learning.transpose is true, or feedback is random';
    return fail(name, `${transported.join(', ')} read at neurons it does not end on (weight transport)`, fitsIf);
  }
  if (pair) return degraded(name, `${pair.name} is read both ways: a second pass over its rows`);
  return pass(name, 'every factor is presynaptic, postsynaptic or of the synapse');
}

function thirdFactor({ direct, passes }: Learning, chip: ChipProfile): Check {
  const name = 'third factor';
  const { thirdFactor: offered } = chip.learning;
  if (direct) return fail(name, 'no learning signal of a neuron carries this rule', localRule);
  if (passes && !passes.judged) return pass(name, 'none asked');
  if (passes && offered !== 'none')
    return pass(name, 'one number for all synapses, when the passes of a trial are done');
  if (passes)
    return fail(
      name,
      'none, and the rule needs one number after each trial',
      'learning.thirdFactor is "global" or "per-neuron"',
    );
  if (offered === 'per-neuron') return pass(name, 'a signal of every neuron reaches its synapses');
  return fail(name, `${offered}, and the rule needs one signal a neuron`, 'learning.thirdFactor is "per-neuron"');
}

function form(learning: Learning, chip: ChipProfile): Check {
  const name = 'form of the rule';
  const { engine, fixedRule } = chip.learning;
  if (engine === 'none')
    return fail(
      name,
      'the chip does not learn',
      'learning.engine is "program", or weights are trained elsewhere and only used here',
    );
  if (learning.direct) return fail(name, 'no product of a trace and a signal', localRule);
  if (learning.passes) {
    const again = `each trial in ${learning.passes.count} passes, presented and judged by a host`;
    if (engine !== 'program') {
      const because = `${again}; ${engine}, whose factors are spikes and traces of one pass`;
      return fail(name, because, 'learning.engine is "program"');
    }
    return degraded(name, again);
  }
  if (engine !== 'fixed-rule') return pass(name, engine);
  const matrices = learning.variables.filter(({ kind, home }) => kind === 'matrix' && home !== 'post');
  if (fixedRule === 'factored-eprop' && learning.factored && matrices.length === 0) {
    return pass(name, 'trace of the presynaptic neuron times factors of the postsynaptic one: the rule in hardware');
  }
  const what =
    matrices.length > 0 ? `learns ${matrices.map((m) => m.name).join(' and ')} too` : 'trace does not factor';
  const because = `a fixed rule in hardware (${fixedRule ?? 'not this one'}), and this one ${what}`;
  return fail(name, because, 'learning.engine is "sum-of-products" or "program"');
}

function neuronModel(demand: Demand, chip: ChipProfile): Check {
  const name = 'neuron model';
  const of = (population: Demand['populations'][number], text: string) =>
    demand.populations.length > 1 ? `${population.name}: ${text}` : text;
  for (const population of demand.populations) {
    const { neuron, spiking, knownDynamics, adaptive, refractory } = population;
    const refuse = (text: string, fitsIf: string) => fail(name, of(population, text), fitsIf);
    if (!spiking && !chip.gradedActivity)
      return refuse('rates, and neurons of the chip send spikes', 'gradedActivity is true, or neurons spike');
    if (!knownDynamics)
      return refuse(`"${neuron}" declares dynamics of no form that is known`, 'its dynamics are declared');
    if (adaptive && !chip.adaptiveThreshold)
      return refuse('an adaptive threshold, which the chip lacks', 'adaptiveThreshold is true, or neurons are LIF');
    if (refractory > 1 && beyond(refractory - 1, chip.refractorySteps)) {
      const because = `${refractory - 1} refractory steps, ${chip.refractorySteps.value} offered`;
      return refuse(because, atLeast('refractorySteps', refractory - 1));
    }
  }
  const other = demand.populations.find(({ reset }) => reset && !chip.resets.includes(reset));
  if (other) {
    return degraded(name, of(other, `reset "${chip.resets.join('" or "')}" in place of "${other.reset}"`));
  }
  return pass(name, 'as it is');
}

/** Of the chip as a whole; the numbers of neurons and synapses are the placement's. */
function limits({ inputs, outputs }: Demand, chip: ChipProfile): Check {
  const name = 'sizes';
  const beyondIt = (
    [
      ['inputs', inputs],
      ['outputs', outputs],
    ] as const
  ).filter(([what, count]) => beyond(count, chip[what]));
  if (beyondIt.length === 0) return pass(name, `${counted(inputs, 'input')}, ${counted(outputs, 'output')}`);
  const because = beyondIt.map(([what, count]) => `${count} ${what}, ${chip[what].value} offered`).join('; ');
  return fail(name, because, beyondIt.map(([what, count]) => atLeast(what, count)).join(' and '));
}

function schedule({ dendritic }: Learning, chip: ChipProfile): Check {
  const name = 'phases';
  if (!dendritic) return pass(name, 'one');
  if (chip.compartments < 2) {
    return fail(name, 'a distal compartment beside the soma, and neurons have one', atLeast('compartments', 2));
  }
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

function epoch({ sumsOver }: Learning, chip: ChipProfile): Check {
  const name = 'update';
  if (sumsOver !== null)
    return degraded(name, `${sumsOver}: a sum of the gradient per synapse, or updates at every step instead`);
  if (!chip.learning.everyStep) return degraded(name, 'at every step asked, in a slower loop offered');
  return pass(name, 'at every step');
}

function optimiser({ slots }: Learning): Check {
  if (slots > 0)
    return fail(
      'optimiser',
      `${slots} more number${slots > 1 ? 's' : ''} per synapse; plain SGD needs none`,
      'optimizer.kind is "sgd"',
    );
  return pass('optimiser', 'no numbers per synapse of its own');
}

/** Synapses that come and go are entries of tables that neurons do not write. */
function upkeep({ upkeep: parts }: Demand, chip: ChipProfile): Check {
  const name = 'rewiring and scaling';
  if (parts.length === 0) return pass(name, 'not asked');
  const by = chip.learning.engine === 'program' ? 'the program of a core' : 'a host that reads and writes the weights';
  return degraded(name, `${parts.join(', ')}: between updates, by ${by}`);
}

function feedbackPath({ reads, variables }: Learning): Check {
  const name = 'feedback';
  const label = reads.includes('target') ? ' and the target' : '';
  const stored = variables.reduce((sum, variable) => sum + (variable.name.endsWith('.B') ? variable.count : 0), 0);
  return pass(name, `errors${label} broadcast${stored > 0 ? ` through ${stored} stored feedback weights` : ''}`);
}
