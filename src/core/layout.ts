import { ConfigError } from './errors.ts';

/** Numbers of the running network: float64 on the reference backend, float32 on the fast ones. */
export type Real = Float64Array | Float32Array;

/**
 * A length known when the network is built: `step` the steps of a trial; `history` the rows of activity kept from the trial before,
 * the longest delay that leaves a population; `self` the neurons of a population; `pre`, `post` and `syn` both ends and
 * the stored synapses of a projection; `out` outputs; `in` the task's input, its constant included.
 */
export type Dim = 'stream' | 'step' | 'history' | 'self' | 'pre' | 'post' | 'syn' | 'in' | 'out';

/** The lengths that an owner of state has. */
export type Sizes = Readonly<Partial<Record<Dim, number>>>;

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
  /** Share that is kept from one step to the next, of all or of each [self]. 0: what it holds is made anew in each step. Left out: no such constant. */
  readonly decay?: number | Float64Array;
  /** Value at the start and wherever the state is reset, of all or of each [self]; 0 where it is left out. Fields of neurons, readouts and the activity before a trial. */
  readonly initial?: number | Float64Array;
  /** Of a trace: a sum of products over long times, which needs the width of a neuron's own numbers. */
  readonly wide?: boolean;
  /** A trace that changes by `addFiltered` alone: what is rounded may be done on the way. */
  readonly filtered?: boolean;
  /** A matrix of a signal that changes by `addOuter` alone: what is rounded may be the change instead of the sum. */
  readonly outer?: boolean;
}

export type Layout = Readonly<Record<string, Field>>;
export type Views<L extends Layout = Layout> = { readonly [K in keyof L]: Real };

/** What a group of state is to its network. `past`: activity that is still under way. */
export type Role =
  | 'weights'
  | 'gradient'
  | 'optimizer'
  | 'neuron'
  | 'readout'
  | 'trace'
  | 'signal'
  | 'direct'
  | 'passes'
  | 'upkeep'
  | 'past'
  | 'run'
  | 'fixed'
  | 'rows';

/** One line of the table that describes a buffer: the checkpoint stores it beside the bytes. */
export interface Entry {
  readonly name: string;
  readonly role: Role;
  /** As it was declared. */
  readonly declared: Field;
  readonly offset: number;
  readonly length: number;
  readonly shape: readonly number[];
  /** What the lengths stand for, as declared. */
  readonly dims: Field['shape'];
}

/** @throws ConfigError for a length that the owner of the field does not have */
export function fieldShape(field: Field, sizes: Sizes): number[] {
  return field.shape.map((dim) => (typeof dim === 'number' ? dim : lengthOf(dim, field, sizes)));
}

function lengthOf(dim: Dim, { doc }: Field, sizes: Sizes): number {
  const length = sizes[dim];
  if (length !== undefined) return length;
  throw new ConfigError(`layout.shape (${doc})`, dim, `a length that its owner has: ${Object.keys(sizes).join(', ')}`);
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
  /** `views('population.rec').v` is the array of field `population.rec.v`; with a role the fields of groups of this role alone. */
  views(group: string, role?: Role): Views;
  field(name: string): Real;
}

/** Fields with a name before theirs, and the lengths of who owns them. Several groups may have the same name. */
export interface Group {
  readonly name: string;
  /** `rows` where it is left out. */
  readonly role?: Role;
  readonly layout: Layout;
  readonly sizes: Sizes;
}

/** Cuts one buffer into named views, in the order of the groups and of their fields. */
export function cut(
  groups: readonly Group[],
  allocate: (length: number) => Real = (length) => new Float64Array(length),
): Block {
  const data = allocate(groupsLength(groups));
  const table: Entry[] = [];
  const byGroup = new Map<string, Record<string, Real>>();
  const byName = new Map<string, Real>();
  let offset = 0;
  for (const { name: group, role = 'rows', layout, sizes } of groups) {
    const views = byGroup.get(group) ?? {};
    const own = byGroup.get(`${role}:${group}`) ?? {};
    for (const [name, field] of Object.entries(layout)) {
      const length = fieldLength(field, sizes);
      const view = data.subarray(offset, offset + length);
      const full = `${group}.${name}`;
      if (byName.has(full)) throw new ConfigError('layout', full, 'another name: the state has a field of this one');
      views[name] = view;
      own[name] = view;
      byName.set(full, view);
      const shape = fieldShape(field, sizes);
      table.push({ name: full, role, declared: field, offset, length, shape, dims: field.shape });
      offset += length;
    }
    byGroup.set(group, views).set(`${role}:${group}`, own);
  }
  return {
    data,
    table,
    views: (group, role) => byGroup.get(role ? `${role}:${group}` : group) ?? {},
    field(name) {
      const view = byName.get(name);
      if (!view) throw new ConfigError('field', name, `one of ${[...byName.keys()].join(', ')}`);
      return view;
    },
  };
}

/** Numbers of all groups together. */
export function groupsLength(groups: readonly Group[]): number {
  return groups.reduce((sum, { layout, sizes }) => sum + layoutLength(layout, sizes), 0);
}

/** Writes what a field starts from. */
export function startField(values: Real, initial: Field['initial'] = 0): void {
  if (typeof initial === 'number') values.fill(initial);
  else for (let at = 0; at < values.length; at += initial.length) values.set(initial, at);
}
