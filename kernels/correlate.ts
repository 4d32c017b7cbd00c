import { addTimes } from './maps';
import { Events, Net, Projection, Read, Readout } from './net';
import { eventsFrom, eventsTo, gatherRows, rowOf } from './rows';

/**
 * What arrived times what was injected, over a whole trial of the streams [b0, b1):
 * grad_ij += sum_t p_i[t] injected_j[t] of the projections that learn, and of readouts with z_i[t] and what their sums were given;
 * a bias behind a filter without memory adds injected_k[t] / gain.
 */
export function correlate(net: Net, b0: i32, b1: i32, t0: i32, steps: i32): void {
  for (let b = b0; b < b1; b++) {
    for (let at = changetype<usize>(net); at; at = changetype<Net>(at).next) {
      const population = changetype<Net>(at);
      if (!population.injected) continue;
      for (let one = population.projections; one; one = changetype<Projection>(one).next) {
        const p = changetype<Projection>(one);
        if (p.learns) ofProjection(population, p, b, steps);
      }
    }
    for (let at = net.readouts; at; at = changetype<Readout>(at).next) {
      if (changetype<Readout>(at).injected) ofReadout(net, changetype<Readout>(at), b, steps);
    }
  }
}

function ofProjection(net: Net, p: Projection, b: i32, steps: i32): void {
  const ev = changetype<Events>(p.events), bytes = <usize>net.n << 2;
  for (let t = net.dropBorder != 0 ? 1 : 0; t < steps; t++) {
    const first = eventsFrom(ev, net.stride, b, t - p.delay), end = eventsTo(ev, net.stride, b, t - p.delay);
    const x = ev.valued ? rowOf(ev, net.stride, b, t - p.delay) : 0;
    const d = net.injected + <usize>(b * net.stride + t) * bytes;
    if (p.rows) gatherRows(p.g, first, end, x, d, p.rows, p.post, p.narrow);
    else addEvents(p.g, first, end, x, d, net.n);
  }
}

/** grad_i += x_i d over the events [first, end); x is 1 where x is 0.   dense; grad: [pre][n]; d: [n] */
function addEvents(grad: usize, first: usize, end: usize, x: usize, d: usize, n: i32): void {
  for (let event = first; event < end; event += 4) {
    const i = <usize>load<u32>(event);
    addTimes(grad + ((i * <usize>n) << 2), d, x ? load<f32>(x + (i << 2)) : 1, n);
  }
}

function ofReadout(net: Net, r: Readout, b: i32, steps: i32): void {
  for (let t = 0; t < steps; t++) {
    const d = r.injected + (<usize>((b * net.stride + t) * net.nOut + r.column) << 2);
    for (let at = r.reads; at; at = changetype<Read>(at).next) {
      const read = changetype<Read>(at), ev = changetype<Events>(read.events);
      const first = eventsFrom(ev, net.stride, b, t), end = eventsTo(ev, net.stride, b, t);
      addEvents(read.g, first, end, ev.valued ? rowOf(ev, net.stride, b, t) : 0, d, r.nOut);
    }
    if (r.bias) addTimes(r.gBias, d, 1 / r.gain, r.nOut);
  }
}
