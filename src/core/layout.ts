import { ConfigError } from './errors.ts';

/** Numbers of the running network: float64 on the reference backend, float32 on the fast ones. */
export type Real = Float64Array | Float32Array;

/**
 * A length known when the network is built. `in` counts the constant bias input, `synIn` and `synRec` the stored
 * synapses of the two projections, `step` the steps of a trial, `history` the rows of activity kept from the trial before: the
 * delay of the recurrent synapses in steps, so that row t of z is what arrives at step t.
 */
export type Dim = 'stream' | 'step' | 'history' | 'in' | 'rec' | 'out' | 'synIn' | 'synRec';
export type Sizes = Readonly<Record<Dim, number>>;

/** Where on a chip a variable would have to live. `pair` is a matrix read from both its sides. */
export type Home = 'pre' | 'post' | 'synapse' | 'pair' | 'global';

export interface Field {
  readonly shape: readonly (Dim | number)[];
  readonly home: Home;
  readonly unit: string;
  readonly doc: string;
  /** Scratch of a step that need not be kept on a chip or in a checkpoint's inventory. */
  readonly transient?: boolean;
  /** Spikes or signs: one bit each. */
  readonly binary?: boolean;
  /** Counts and sums that only a report or a resumed run reads, or that say where the schedule is: not the rule's own state. */
  readonly bookkeeping?: boolean;
  /**
   * State of a readout, a signal or a direct rule that is 0 again where traces restart with the trial, as traces are themselves.
   * Of a readout: only learning needs it.
   */
  readonly restarts?: boolean;
  /** Share that is kept from one step to the next. 0: what it holds is made anew in each step. Left out: no such constant. */
  readonly decay?: number;
  /** Value at the start and wherever the state is reset; 0 where it is left out. Fields of neurons and readouts. */
  readonly initial?: number;
  /** Of a trace: a sum of products over long times, which needs the width of a neuron's own numbers. */
  readonly wide?: boolean;
  /** A trace that changes by `addFiltered` alone: what is rounded may be done on the way. */
  readonly filtered?: boolean;
  /** A matrix of a signal that changes by `addOuter` alone: what is rounded may be the change instead of the sum. */
  readonly outer?: boolean;
}

export type Layout = Readonly<Record<string, Field>>;
export type Views<L extends Layout = Layout> = { readonly [K in keyof L]: Real };

/** One line of the table that describes a buffer: the checkpoint stores it beside the bytes. */
export interface Entry {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly shape: readonly number[];
  /** What the lengths stand for, as declared. */
  readonly dims: Field['shape'];
}

export function fieldShape(field: Field, sizes: Sizes): number[] {
  return field.shape.map((dim) => (typeof dim === 'number' ? dim : sizes[dim]));
}

export function fieldLength(field: Field, sizes: Sizes): number {
  return fieldShape(field, sizes).reduce((product, n) => product * n, 1);
}

/** Numbers in one copy of a group of fields; times bytes per number it is the memory to be had before a run. */
export function layoutLength(layout: Layout, sizes: Sizes): number {
  return Object.values(layout).reduce((sum, field) => sum + fieldLength(field, sizes), 0);
}

export interface Block {
  /** All numbers of the block, in declaration order. */
  readonly data: Real;
  readonly table: readonly Entry[];
  /** `views('neuron').v` is the array of field `neuron.v`. */
  views(group: string): Views;
  field(name: string): Real;
}

/** Cuts one buffer into named views, in declaration order of the groups and of their fields. */
export function cut(
  groups: Readonly<Record<string, Layout>>,
  sizes: Sizes,
  allocate: (length: number) => Real = (length) => new Float64Array(length),
): Block {
  const total = Object.values(groups).reduce((sum, layout) => sum + layoutLength(layout, sizes), 0);
  const data = allocate(total);
  const table: Entry[] = [];
  const byGroup = new Map<string, Record<string, Real>>();
  const byName = new Map<string, Real>();
  let offset = 0;
  for (const [group, layout] of Object.entries(groups)) {
    const views: Record<string, Real> = {};
    for (const [name, field] of Object.entries(layout)) {
      const length = fieldLength(field, sizes);
      const view = data.subarray(offset, offset + length);
      views[name] = view;
      byName.set(`${group}.${name}`, view);
      table.push({ name: `${group}.${name}`, offset, length, shape: fieldShape(field, sizes), dims: field.shape });
      offset += length;
    }
    byGroup.set(group, views);
  }
  return {
    data,
    table,
    views: (group) => byGroup.get(group) ?? {},
    field(name) {
      const view = byName.get(name);
      if (!view) throw new ConfigError('field', name, `one of ${[...byName.keys()].join(', ')}`);
      return view;
    },
  };
}
