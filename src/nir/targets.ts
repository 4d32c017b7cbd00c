/** How a network of ours is written so that a framework reads it to the same spikes. */
export interface Target {
  /** Frameworks that read it so. */
  readonly frameworks: readonly string[];
  /** Step that the importers assume, or are to be told, in seconds. */
  readonly dt: number;
  /** Node of a neuron without a synaptic filter. A CubaLIF whose synapse forgets within a step is one. */
  readonly neuron: 'LIF' | 'CubaLIF';
  /** Whether neurons with a synaptic filter can be written. */
  readonly filters: boolean;
  /** What a spike does to the membrane where the file is read. */
  readonly reset: 'zero' | 'subtract';
  /**
   * How a recurrent projection is written: through an identity, since importers fold a loop of two nodes into a neuron whose input
   * passes its weights; or as the subgraph of four nodes.
   */
  readonly loop: 'identity' | 'subgraph';
  /** Steps from a population to a later one: 1 where neurons emit before they update. */
  readonly layerDelay: 0 | 1;
  /** Whether later populations can feed back to earlier ones. */
  readonly feedback: boolean;
}

/** Recipes that were tried with the frameworks themselves: see docs/interop.md. */
export const targets: readonly Target[] = [
  {
    frameworks: ['snntorch', 'norse'],
    dt: 1e-4,
    neuron: 'CubaLIF',
    filters: true,
    reset: 'zero',
    loop: 'identity',
    layerDelay: 0,
    feedback: true,
  },
  {
    frameworks: ['spyx'],
    dt: 1e-4,
    neuron: 'LIF',
    filters: false,
    reset: 'subtract',
    loop: 'subgraph',
    layerDelay: 1,
    feedback: false,
  },
];
