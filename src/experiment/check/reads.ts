import { bindingOfSignal, bindingOfTrace, projectionSizes, signalSizes } from '../../core/bindings.ts';
import type { Network } from '../../core/network.ts';
import type { Quantity } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { clearLog } from './accessLog.ts';
import { fails, holds, type Outcome } from './report.ts';
import { quantitiesRead, type Watched, watchNetwork } from './watched.ts';

/**
 * Traces and signals read what their footprints declare, in the row of their step, and no more: what a chip would have to bring to them
 * follows from the footprint.
 * @param network after a trial, learning as it goes on
 */
export function readsWhatItDeclares(network: Network): Outcome {
  const [population] = network.spec.populations;
  const parts = [
    ...network.spec.projections.flatMap(({ name, traces }, q) =>
      traces.map(({ footprint }, c) => ({
        what: `the trace of ${name}`,
        declared: footprint.reads,
        read: traceReads(network, q, c),
      })),
    ),
    ...population.signals.map(({ footprint }, c) => ({
      what: 'the signal',
      declared: footprint.reads,
      read: signalReads(network, c),
    })),
  ];
  for (const { what, declared, read } of parts) {
    const hidden = [...read].find((quantity) => !declared.includes(quantity));
    if (hidden) return fails(`${what} reads ${hidden}, which its footprint does not declare`);
    const unread = declared.find((quantity) => !read.has(quantity));
    if (unread) return fails(`the footprint of ${what} declares ${unread}, which it never reads`);
  }
  return holds(parts.map(({ what, declared }) => `${what}: ${declared.join(', ')}`).join('; '));
}

function traceReads(network: Network, q: number, c: number): Set<Quantity> {
  const watched = watchNetwork(network);
  const { spec } = watched.network;
  const sizes = projectionSizes(spec, spec.projections[q]);
  const trace = spec.projections[q].traces[c];
  const state = watched.state(trace.layout, sizes);
  const bound = trace.bind({ ...bindingOfTrace(watched.network, q, c), state });
  const read = new Set<Quantity>();
  clearLog(watched.log);
  for (let t = 0; t < sizes.step; t++) {
    bound.step(t);
    gather(watched, 'trace', t, read);
  }
  bound.finish(sizes.step);
  gather(watched, 'trace', null, read);
  return read;
}

function signalReads(network: Network, c: number): Set<Quantity> {
  const watched = watchNetwork(network);
  const { spec } = watched.network;
  const sizes = signalSizes(spec, spec.populations[0], c);
  const signal = spec.populations[0].signals[c];
  const binding = { ...bindingOfSignal(watched.network, 0, c), state: watched.state(signal.layout, sizes) };
  signal.init(binding.state, createRng(1), binding);
  const bound = signal.bind(binding);
  const read = new Set<Quantity>();
  clearLog(watched.log);
  for (let t = 0; t < sizes.step; t++) {
    bound.step(t, 1, t);
    gather(watched, 'signal', t, read);
  }
  return read;
}

function gather(watched: Watched, part: 'trace' | 'signal', t: number | null, read: Set<Quantity>): void {
  for (const quantity of quantitiesRead(watched, part, t)) read.add(quantity);
  clearLog(watched.log);
}
