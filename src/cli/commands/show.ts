import { demandOf, synapticEventsOf } from '../../../hardware/index.ts';
import { inMebibytes } from '../../core/units.ts';
import { createExperiment, type Experiment } from '../../experiment/experiment.ts';
import { writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { drawNetwork } from '../figures/network.ts';
import { type Global, print, table, tell } from '../output.ts';
import { type ShownProjection, shownProjections } from '../projections.ts';
import { readExperiment } from './run.ts';

export interface ShowFlags extends Global {
  readonly set?: readonly string[];
  readonly backend?: string;
  readonly out?: string;
}

/** What a network is made of, before anything runs. */
export interface Shown {
  readonly name: string;
  readonly rule: string;
  readonly backend: string;
  readonly neurons: number;
  readonly synapses: number;
  /** Synapses, those of readouts not counted, whose weights learn. */
  readonly plastic: number;
  readonly populations: readonly {
    readonly name: string;
    readonly neurons: number;
    readonly kind: string;
    /** What teaches the projections that end on it; null: nothing. */
    readonly rule: string | null;
  }[];
  readonly projections: readonly ShownProjection[];
  readonly readouts: readonly {
    readonly name: string;
    readonly from: readonly string[];
    readonly outputs: number;
    readonly loss: string;
    readonly weight: number;
  }[];
  readonly bytes: Experiment['memory']['parts'] & { readonly total: number };
  /** Per step and stream at the assumed rate. */
  readonly work: {
    readonly rateHz: number;
    /** Weights that are added to a membrane or a readout. */
    readonly synapticEvents: number;
    /** Traces of single synapses that move, for rules that keep any. */
    readonly traces: number;
  };
}

/** `spiketrace show` */
export async function show(source: string, flags: ShowFlags): Promise<void> {
  const settings = [...(flags.set ?? [])];
  if (flags.backend) settings.push(`backend=${JSON.stringify(flags.backend)}`);
  const experiment = createExperiment(await readExperiment(source, settings), catalogue);
  const shown = shownOf(experiment);
  if (flags.json) print(JSON.stringify(shown));
  else print(text(shown));
  if (!flags.out) return;
  writeAtomic(flags.out, drawNetwork(experiment));
  tell(`figure: ${flags.out}`);
}

export function shownOf({ run, config, memory }: Experiment): Shown {
  const { spec } = run.network;
  const demand = demandOf(spec);
  const traces = demand.learning?.variables.filter(({ home, kind }) => home === 'synapse' && kind === 'trace') ?? [];
  const projections = shownProjections(spec);
  const count = (shown: readonly ShownProjection[]) => shown.reduce((sum, { synapses }) => sum + synapses, 0);
  return {
    name: config.name,
    rule: String(config.rule.name),
    backend: config.backend,
    neurons: demand.neurons,
    synapses: count(projections),
    plastic: count(projections.filter(({ plastic }) => plastic)),
    populations: spec.populations.map(({ name, size, kind, rule }) => ({
      name,
      neurons: size,
      kind,
      rule: spec.direct || spec.passes ? spec.rule : (rule?.rule ?? null),
    })),
    projections,
    readouts: spec.readouts.map(({ name, reads, size, lossKind, weight }) => ({
      name,
      from: reads.map((p) => spec.populations[p].name),
      outputs: size,
      loss: lossKind,
      weight,
    })),
    bytes: { ...memory.parts, total: memory.total },
    work: {
      rateHz: demand.activity.rateHz,
      synapticEvents: synapticEventsOf(demand),
      traces: traces.reduce((sum, { count }) => sum + count, 0),
    },
  };
}

function text(shown: Shown): string {
  const { name, rule, backend, neurons, synapses, plastic, bytes, work } = shown;
  const number = (value: number) => Math.round(value).toLocaleString('en-US');
  const delay = ([low, high]: readonly [number, number]) => (low === high ? `${low}` : `${low} to ${high}`);
  return [
    `${name}: ${number(neurons)} neurons, ${number(synapses)} synapses, ${number(plastic)} of them plastic; rule ${rule}, backend ${backend}`,
    table(
      ['population', 'neurons', 'kind', 'rule'],
      shown.populations.map((population) => [
        population.name,
        number(population.neurons),
        population.kind,
        population.rule ?? 'none',
      ]),
    ),
    table(
      ['projection', 'from', 'to', 'synapses', 'of all pairs', 'delay (ms)', 'sign', 'plastic', 'upkeep'],
      shown.projections.map((projection) => [
        projection.name,
        projection.from,
        projection.to,
        number(projection.synapses),
        `${Math.round(100 * projection.density)} %`,
        delay(projection.delayMs),
        projection.sign,
        projection.plastic ? 'yes' : 'no',
        [projection.rewiring, projection.scaling].filter((kind) => kind !== null).join(', ') || 'none',
      ]),
    ),
    table(
      ['readout', 'from', 'outputs', 'loss', 'weight'],
      shown.readouts.map(({ name: readout, from, outputs, loss, weight }) => [
        readout,
        from.join(', '),
        String(outputs),
        loss,
        String(weight),
      ]),
    ),
    `memory: ${inMebibytes(bytes.total)} (network ${inMebibytes(bytes.network)}, evaluation ${inMebibytes(bytes.evaluation)}, task ${inMebibytes(bytes.task)})`,
    `a step of one stream at ${work.rateHz} Hz: ${number(work.synapticEvents)} synaptic events, ${number(work.traces)} traces of single synapses`,
  ].join('\n\n');
}
