import type { NetworkSpec } from '../../core/network.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { type NetworkEdge, type NetworkNode, renderNetwork } from '../../plot/index.ts';
import { shownProjections } from '../projections.ts';

/** The network as boxes and arrows: the input, populations by layers, readouts. */
export function drawNetwork({ run, config, task }: Experiment): Uint8Array {
  const { spec } = run.network;
  const columns = layersOf(spec);
  const last = Math.max(...columns) + 1;
  const nodes: NetworkNode[] = [
    { name: 'input', lines: [`${task.nIn} units`], kind: 'input', column: 0 },
    ...spec.populations.map(
      ({ name, size, kind }, p): NetworkNode => ({
        name,
        lines: [`${size} ${kind}`],
        kind: 'population',
        column: columns[p],
      }),
    ),
    ...spec.readouts.map(
      ({ name, size, lossKind }): NetworkNode => ({
        name: `readout ${name}`,
        lines: [`${size} ${size === 1 ? 'output' : 'outputs'}`, lossKind],
        kind: 'readout',
        column: last,
      }),
    ),
  ];
  const edges = shownProjections(spec).map(
    ({ from, to, synapses, delayMs: [low, high], sign, plastic }): NetworkEdge => {
      const delay = low === high ? `${low} ms` : `${low} to ${high} ms`;
      const label = `${synapses.toLocaleString('en-US')}, ${delay}`;
      return { from, to, label, sign: sign === 'free' || sign === 'mixed' ? 'either' : sign, plastic };
    },
  );
  const read = spec.readouts.flatMap(({ name, reads }) =>
    reads.map((p): NetworkEdge => {
      return { from: spec.populations[p].name, to: `readout ${name}`, label: '', sign: 'either', plastic: true };
    }),
  );
  return renderNetwork({ title: config.name, nodes, edges: [...edges, ...read] });
}

/** Column of each population: behind those whose spikes reach it in the same step. */
function layersOf({ populations, projections }: NetworkSpec): number[] {
  const columns = populations.map(() => 1);
  populations.forEach((_, p) => {
    for (const { pre, post, delay } of projections) {
      if (post === p && pre !== null && pre < p && delay === 0) columns[p] = Math.max(columns[p], columns[pre] + 1);
    }
  });
  return columns;
}
