/** First weights of a normal distribution. */
export const normal = (gain: number) => ({ kind: 'normal', gain }) as const;

/** One learning rate for some blocks. */
export const rates = (rate: number, ...names: string[]) => Object.fromEntries(names.map((name) => [name, rate]));

/** Readouts of an actor and a critic. `gains` of normal first weights; null: Glorot's, a fifth of it for the critic. */
export function actorAndCritic(
  from: readonly string[],
  tauMs: number,
  given: { readonly entropy: number; readonly critic: number; readonly gains: readonly [number, number] | null },
) {
  const { entropy, critic, gains } = given;
  const readout = { kind: 'leaky', filter: { tauMs }, scale: '1-kappa', bias: true };
  const kind = gains ? 'normal' : 'glorot-uniform';
  const [ofActor, ofCritic] = gains ?? [1, 0.2];
  return {
    actor: { from, readout, init: { kind, gain: ofActor }, loss: { kind: 'policy', entropy } },
    critic: { from, outputs: [0], readout, init: { kind, gain: ofCritic }, loss: { kind: 'value' }, weight: critic },
  };
}

/** What LIF and adaptive neurons share. @param nRef steps */
export const lifWith = (nRef: number) => ({ membrane: { tauMs: 20 }, vTh: 0.6, nRef });

/** LIF and adaptive neurons, every one of which reaches all: the input drives both, and both drive both. @param gain of weights between neurons */
export function lifAndAlif(
  size: number,
  neuron: object,
  adaptation: { readonly tauMs: number; readonly adaptBeta: number },
  gain = 0.7,
) {
  const { tauMs, adaptBeta } = adaptation;
  const init = normal(gain);
  return {
    populations: {
      lif: { size, neuron: { kind: 'lif', ...neuron } },
      alif: { size, neuron: { kind: 'alif', ...neuron, adaptation: { tauMs }, adaptBeta } },
    },
    projections: {
      'in-lif': { from: 'input', to: 'lif' },
      'in-alif': { from: 'input', to: 'alif' },
      'lif-lif': { from: 'lif', to: 'lif', init },
      'lif-alif': { from: 'lif', to: 'alif', init },
      'alif-lif': { from: 'alif', to: 'lif', init },
      'alif-alif': { from: 'alif', to: 'alif', init },
    },
  };
}

/** The projections of such a network. */
export const ofLifAndAlif = ['in-lif', 'in-alif', 'lif-lif', 'lif-alif', 'alif-lif', 'alif-alif'];

/** A task whose action needs a memory, by reward-based e-prop: 25 LIF and 25 ALIF neurons. `rates`: of the network, the actor and the critic. */
export function remembered(
  kind: string,
  given: {
    readonly entropy: number;
    readonly critic: number;
    readonly rateTerm: { readonly strength: number; readonly targetHz: number };
    readonly rates: { readonly network: number; readonly actor: number; readonly critic: number };
    readonly holdUntil: number;
    readonly total: number;
  },
) {
  const { entropy, critic, rateTerm, holdUntil, total } = given;
  const { network, ...ofReadouts } = given.rates;
  return {
    name: kind,
    task: { kind },
    network: {
      dtMs: 1,
      ...lifAndAlif(25, lifWith(3), { tauMs: 150, adaptBeta: 0.03 }),
      readouts: actorAndCritic(['lif', 'alif'], 10, { entropy, critic, gains: null }),
    },
    rule: { name: 'e-prop-1', feedback: 'random' },
    modulator: { kind: 'td-error', discount: 0.99 },
    rateTerm: { ...rateTerm, mean: 'batch' },
    loss: { kind: 'square' },
    optimizer: {
      kind: 'adam',
      rates: { ...rates(network, ...ofLifAndAlif), ...ofReadouts },
      schedule: { kind: 'linear-to-zero', holdUntil },
    },
    training: { total, streams: 32 },
    evaluation: { total: 512, streams: 64 },
  };
}

/** Rates that fall to 0 over the second half. */
export const falling = { kind: 'linear-to-zero', holdUntil: 0.5 } as const;

/** A task whose answer is taught and needs a memory, by e-prop 1: 30 LIF and 30 ALIF neurons, 64 trials an update. */
export function answered(
  name: string,
  given: {
    readonly task: { readonly kind: string; readonly [name: string]: unknown };
    readonly loss: { readonly kind: 'softmax' | 'square'; readonly scale: number };
    readonly rateTerm: { readonly strength: number; readonly targetHz: number };
    readonly schedule: { readonly kind: string };
    /** Learning rate of the readout; 0.005 as the network's. */
    readonly ofReadout?: number;
    readonly total: number;
  },
) {
  const { task, loss, rateTerm, schedule, ofReadout = 0.005, total } = given;
  return {
    name,
    task,
    network: {
      dtMs: 1,
      ...lifAndAlif(30, lifWith(3), { tauMs: 150, adaptBeta: 0.03 }),
      readouts: {
        out: { from: ['lif', 'alif'], readout: { kind: 'leaky', filter: { tauMs: 10 }, scale: '1-kappa', bias: true } },
      },
    },
    rule: { name: 'e-prop-1', feedback: 'symmetric' },
    rateTerm: { ...rateTerm, mean: 'batch' },
    loss,
    optimizer: { kind: 'adam', rates: { ...rates(0.005, ...ofLifAndAlif), out: ofReadout }, schedule },
    training: { total, streams: 64 },
    evaluation: { total: 512, streams: 64 },
  };
}
