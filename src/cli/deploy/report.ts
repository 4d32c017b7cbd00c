import { type Core, coresInWords, type Deployment } from '../../../hardware/index.ts';
import type { Accuracy } from '../../experiment/deployment.ts';
import type { Rows } from '../html.ts';
import type { ReckonExport } from './images.ts';

/** Content of `deployment.json`. */
export interface Report {
  readonly experiment: string;
  readonly rule: string;
  readonly deployments: readonly (Deployment & { readonly accuracy?: Accuracy })[];
  readonly images?: ReckonExport;
}

export const number = (value: number, digits = 5) => String(Number(value.toPrecision(digits)));

export function checkRows({ chip, checks }: Deployment): Rows {
  return {
    head: [chip, 'status', 'number', 'fits if'],
    rows: checks.map(({ name, status, because, fitsIf }) => [name, status, because, fitsIf ?? '']),
  };
}

/** State by name; that of the parts of a projection by delay in one row. */
export function stateRows({ inferenceState, inventory }: Deployment): Rows {
  const row = (of: string, v: Deployment['inventory'][number]) => [
    of,
    v.whole,
    v.home,
    `${v.count}`,
    `${v.bits}`,
    `${Math.ceil(v.bytes)}`,
    v.doc,
  ];
  return {
    head: ['of', 'state', 'home', 'numbers', 'bits each', 'bytes', 'what'],
    rows: [
      ...wholes(inferenceState).map((variable) => row('inference', variable)),
      ...wholes(inventory).map((variable) => row('learning', variable)),
    ],
  };
}

function wholes(variables: Deployment['inventory']): Deployment['inventory'] {
  const found = new Map<string, Deployment['inventory'][number]>();
  for (const variable of variables) {
    const { whole, count, bytes } = variable;
    const { count: others, bytes: theirs } = found.get(whole) ?? { count: 0, bytes: 0 };
    found.set(whole, { ...variable, count: count + others, bytes: bytes + theirs });
  }
  return [...found.values()];
}

export function operationRows({ operations: { inference, learning } }: Deployment): Rows {
  const names = {
    multiplyAdds: 'multiply-adds',
    stateReads: 'state words read',
    stateWrites: 'state words written',
    rowReads: 'weight rows read',
    rowWrites: 'weight rows written',
    draws: 'random draws',
  } as const;
  return {
    head: ['per step', 'inference', 'learning'],
    rows: (Object.keys(names) as (keyof typeof names)[]).map((key) => [
      names[key],
      number(inference[key]),
      number(learning[key]),
    ]),
  };
}

/** What the operations were counted at, and the energy they stand for. */
export function operationNote({ operations: { activity, synapticEvents }, energy }: Deployment): string {
  const spent = energy
    ? `${number(energy.low)} to ${number(energy.high)} pJ a step, ${energy.pJPerEvent} pJ an event (${energy.source}): synaptic events alone, and every multiply-add of learning counted as one`
    : 'energy: no figure';
  return `at ${number(activity.rateHz)} Hz (${activity.source}) ${number(synapticEvents)} synaptic events a step; ${spent}`;
}

export function memoryNote({ inferenceBytes, learningBytes, overhead, placement }: Deployment): string {
  return (
    `inference ${Math.ceil(inferenceBytes)} bytes, learning ${Math.ceil(learningBytes)} more (${(100 * overhead).toFixed(1)} %), ` +
    `on ${coresInWords(placement)}`
  );
}

/** What the memory goes to, byte: weights, state of inference, and state of learning by where a chip would keep it. */
export function memoryParts({
  inferenceBytes,
  inferenceState,
  inventory,
}: Deployment): { name: string; bytes: number }[] {
  const state = inferenceState.reduce((sum, { bytes }) => sum + bytes, 0);
  const homes = [...new Set(inventory.map(({ home }) => home))].map((home) => ({
    name: `learning, ${home}`,
    bytes: inventory.reduce((sum, variable) => sum + (variable.home === home ? variable.bytes : 0), 0),
  }));
  const parts = [
    { name: 'weights', bytes: inferenceBytes - state },
    { name: 'state of inference', bytes: state },
    ...homes,
  ];
  return parts.filter(({ bytes }) => bytes > 0);
}

/** What lies on which core. Cores of one population that hold the same are one row. */
export function placementRows({ placement: { cores, coreBytes } }: Deployment): Rows {
  return {
    head: [
      'cores',
      'neurons',
      'synapses',
      'bytes',
      typeof coreBytes === 'number' ? `of ${coreBytes} bytes` : 'of capacity',
      'axons',
      'fan-in',
      'delay, steps',
      'full by',
    ],
    rows: alike(cores).map(({ core, first, count }) => {
      const share =
        typeof coreBytes === 'number' ? `${((100 * core.bytes) / coreBytes).toFixed(1)} %` : (coreBytes ?? 'not known');
      return [
        count === 1 ? `${first}` : `${first}-${first + count - 1}`,
        partsInWords(core, count),
        `${core.synapses}`,
        `${Math.ceil(core.bytes)}`,
        share,
        `${core.axons}`,
        `${core.fanIn}`,
        `${core.delaySteps}`,
        core.full ?? '-',
      ];
    }),
  };
}

/** So many cores one after the other. */
interface Alike {
  readonly first: number;
  readonly core: Core;
  readonly count: number;
}

function alike(cores: readonly Core[]): Alike[] {
  const found: Alike[] = [];
  cores.forEach((core, index) => {
    const last = found.at(-1);
    if (last && kindOf(last.core) === kindOf(core)) found[found.length - 1] = { ...last, count: last.count + 1 };
    else found.push({ first: index, core, count: 1 });
  });
  return found;
}

/** What cores of one row have in common: all but which neurons of a population they hold. */
function kindOf({ parts, ...held }: Core): string {
  return JSON.stringify([parts.map(({ of, name, from, to }) => [of, name, to - from]), held]);
}

function partsInWords({ parts }: Core, cores: number): string {
  return parts
    .map(({ of, name, from, to }) => {
      const size = to - from;
      const range = `${of === 'readout' ? 'readout ' : ''}${name} ${from}-${from + cores * size - 1}`;
      return cores === 1 ? range : `${range} (${size} each)`;
    })
    .join(', ');
}

export function accuracyRows({ versions, measure, seeds }: Accuracy): Rows {
  return {
    head: [measure, 'mean', 'sd', ...seeds.map((seed) => `seed ${seed}`)],
    rows: versions.map(({ version, mean, sd, losses }) => [
      version,
      number(mean),
      number(sd),
      ...losses.map((loss) => number(loss)),
    ]),
  };
}

export function approximationNote({ approximations }: Accuracy): string {
  if (approximations.length === 0) return 'structure: nothing is forced, its losses are those of float';
  const named = approximations.map(
    ({ what, setting }) => `${what} (${setting ?? 'the rule has no such setting: not done'})`,
  );
  return `structure: ${named.join(', ')}`;
}

export function partingNotes({ parting: { steps, value, spike } }: Accuracy): string[] {
  const index = (of: readonly number[]) => `[${of.join(', ')}]`;
  return [
    value
      ? `first parting at step ${value.step}: ${value.field}${index(value.index)} is ${number(value.float, 10)} in float and ${number(value.fixed, 10)} in fixed point, more than one step of ${number(value.formatStep)} apart`
      : `no number parts by more than one step of its format in ${steps} steps`,
    spike
      ? `first spike that differs at step ${spike.step}: neuron ${spike.neuron} of stream ${spike.stream}, ${spike.float} in float and ${spike.fixed} in fixed point`
      : `no spike differs in ${steps} steps`,
  ];
}

/** What became of the numbers of each field. */
export function formatRows({ statistics }: Accuracy): Rows {
  const share = (part: number, of: number) => (of === 0 ? '-' : `${((100 * part) / of).toFixed(1)} %`);
  return {
    head: ['format of the last seed', 'bits', 'step', 'stores', 'below a step', 'saturated'],
    rows: statistics.map(({ field, format, tried, lost, saturated }) => [
      field,
      `${format.bits}`,
      `2^${-format.fraction}`,
      `${tried}`,
      share(lost, tried),
      share(saturated, tried),
    ]),
  };
}
