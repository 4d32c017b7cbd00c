import { gradientOfTrial } from './deferred';
import { forward } from './forward';
import { addRow } from './maps';
import { Net } from './net';
import { traceOuter, traceSynaptic } from './online';
import { errors, readout, readoutGradient, readoutGradientOfTrial } from './output';
import { postponed } from './postponed';
import { rateOfStreams, rateRunning } from './signal';

/** net.traceKind: 0 readout alone, 1 outer product, 2 state per synapse, 3 deferred, 4 postponed. */

/** Online: what the steps [t0, t1) of the streams [b0, b1) add to the gradient. */
export function gradientOnline(net: Net, b0: i32, b1: i32, t0: i32, t1: i32): void {
  for (let at = changetype<usize>(net); at; at = changetype<Net>(at).nextTrace) {
    if (changetype<Net>(at).traceKind == 2) traceSynaptic(changetype<Net>(at), b0, b1, t0, t1);
  }
  for (let t = t0; t < t1; t++) {
    for (let at = changetype<usize>(net); at; at = changetype<Net>(at).nextTrace) {
      if (changetype<Net>(at).traceKind == 1) traceOuter(changetype<Net>(at), b0, b1, t);
    }
    readoutGradient(net, b0, b1, t);
  }
}

/** Deferred and postponed: what the whole trial of the streams [b0, b1) adds; t0 is 0. */
export function gradientAtEnd(net: Net, b0: i32, b1: i32, t0: i32, steps: i32): void {
  for (let at = changetype<usize>(net); at; at = changetype<Net>(at).nextTrace) {
    if (changetype<Net>(at).traceKind == 3) gradientOfTrial(changetype<Net>(at), b0, b1, steps);
    if (changetype<Net>(at).traceKind == 4) postponed(changetype<Net>(at), b0, b1, steps);
  }
  readoutGradientOfTrial(net, b0, b1, steps);
}

/**
 * Forward pass and deferred gradient of one stream after the other, so that what a stream's forward pass writes is still in
 * a cache when its gradient reads it. The same bits as stage by stage.
 */
export function wholeTrial(net: Net, b0: i32, b1: i32, t0: i32, steps: i32): void {
  for (let b = b0; b < b1; b++) {
    forward(net, b, b + 1, 0, steps);
    readout(net, b, b + 1, 0, steps);
    errors(net, b, b + 1, 0, steps);
    if (net.rateStrength != 0) {
      if (net.rateAfterTrial) rateOfStreams(net, b, b + 1, 0, steps);
      else rateRunning(net, b, b + 1, 0, steps);
    }
    gradientAtEnd(net, b, b + 1, 0, steps);
  }
}

/** sum += part.   [n] */
export function addTo(sum: usize, part: usize, n: i32): void {
  addRow(sum, part, <usize>n << 2);
}

/** sum += part;  part = 0.   [n] */
export function reduce(sum: usize, part: usize, n: i32): void {
  const none = f32x4.splat(0);
  const bytes = <usize>n << 2;
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    v128.store(sum + o, f32x4.add(v128.load(sum + o), v128.load(part + o)));
    v128.store(part + o, none);
  }
  for (; o < bytes; o += 4) {
    store<f32>(sum + o, load<f32>(sum + o) + load<f32>(part + o));
    store<f32>(part + o, 0);
  }
}
