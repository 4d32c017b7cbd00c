import { blockGroup, blockLength } from '../../core/bindings.ts';
import type { FieldStatistics } from '../../core/format.ts';
import { type Network, type NetworkSpec, type Stages, upkeepOf } from '../../core/network.ts';
import { bindStores, putOnGrids, storeNumbers } from '../fixed/stores.ts';

/** Bits of a word of which a float32 that is next to be rounded keeps eight below a step. */
const mostBits = 16;

/** What of the number formats of a network there are no kernels for: here weights alone have them, and change between trials. */
export function missingFormats(spec: NetworkSpec): string[] {
  const { formats, blocks, projections, learns, update, passes, direct } = spec;
  if (!formats) return [];
  const weights = new Set(blocks.map((block) => `${blockGroup(block, spec)}.weights`));
  const others = formats.filter(({ field }) => !weights.has(field)).map(({ field }) => field);
  const wide = formats.filter(({ format }) => format.bits > mostBits).map(({ field }) => field);
  return [
    ...(others.length > 0 ? [`number formats of anything but weights (${others.join(', ')})`] : []),
    ...(wide.length > 0 ? [`words of more than ${mostBits} bits (${wide.join(', ')})`] : []),
    ...(learns && update.unit === 'step' ? ['number formats of weights that change within a trial'] : []),
    ...(passes ? ['number formats beside a rule of several passes over a trial'] : []),
    ...(direct?.outer ? ['number formats beside a rule whose trials are two passes'] : []),
    ...upkeepOf(projections).map((name) => `number formats beside ${name}`),
  ];
}

/** Bytes that rounding takes beside the weights. */
export function formatBytes(spec: NetworkSpec): number {
  if (!spec.formats) return 0;
  const fields = new Set(spec.formats.map(({ field }) => field));
  const formatted = spec.blocks.filter((block) => fields.has(`${blockGroup(block, spec)}.weights`));
  return (
    8 *
    storeNumbers(
      spec,
      formatted.reduce((sum, block) => sum + blockLength(block, spec), 0),
    )
  );
}

/** The stages, with all weights on their grids before the first trial and after every update; as the backend `fixed` rounds sums. */
export function onGrids(stages: Stages, network: Network): Stages {
  const { spec, state } = network;
  if (!spec.formats) return stages;
  const stores = bindStores(network, (length) => new Float64Array(length), null);
  let begun = false;
  const begin = (t0: number) => {
    if (!begun) putOnGrids(stores, state.field('fixed.chance'));
    begun = true;
    if (t0 === 0) for (const { store } of stores) store.reload();
  };
  const { wholeTrial } = stages;
  return {
    ...stages,
    forward(t0, t1) {
      begin(t0);
      stages.forward(t0, t1);
    },
    update(progress, count, trials) {
      stages.update(progress, count, trials);
      for (const { store, length } of stores) store.settle(0, length);
    },
    ...(wholeTrial && {
      wholeTrial(steps: number, scale: Float64Array) {
        begin(0);
        wholeTrial(steps, scale);
      },
    }),
    statistics: () => stores.map(({ store }): FieldStatistics => store.statistics()),
  };
}
