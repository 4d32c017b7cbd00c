/** Random numbers of one purpose: entry [h][j] is values[at + h perStep + j perNeuron]. A stride of 0 shares a number. */
export interface Draws {
  readonly values: Float64Array;
  readonly at: number;
  readonly perStep: number;
  readonly perNeuron: number;
}

/** Traces of spikes are 7 bit, unsigned. */
export const traceLimit = 127;

/**
 * The impulse of a spike that is not the last of its epoch, added to the stored trace at once:
 * x_j = min(x_j + impulse + [rho_j < fraction], 127)  where z_j = 1 and time_j != 0
 *
 * Source: lava-nc/lava b6822fbc, LearningDense tagged fixed_pt. One number per neuron; rho is 0 for x in lava.
 * x [j] 7 bit; time [j] step in the epoch of the spike before, 0 for none; z [j] spikes; fraction 0..256
 */
export function addRepeatedImpulse(
  x: Int32Array,
  time: Int32Array,
  z: ArrayLike<number>,
  impulse: number,
  fraction: number,
  { values, at, perNeuron }: Draws,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    if (z[j] === 0 || time[j] === 0) continue;
    x[j] = Math.min(x[j] + impulse + (values[at + j * perNeuron] < fraction ? 1 : 0), traceLimit);
  }
}

/** time_j = h where z_j = 1: only the last spike of an epoch has a time. h 1..epochSteps, 0 means none. */
export function recordSpikeTimes(time: Int32Array, z: ArrayLike<number>, h: number, n: number): void {
  for (let j = 0; j < n; j++) if (z[j] !== 0) time[j] = h;
}

/**
 * The trace at every step h = 1..E of an epoch, H(0) = x:
 * y = decay H_j(h-1),  q = floor(y) + [rho_jh < y - floor(y)],  H_j(h) = clip(q + impulse + [rho'_j < fraction], 0, 127)
 * where time_j = h, else q. The clip is at spikes only, with an impulse of 0 too.
 *
 * Source: lava-nc/lava b6822fbc, LearningDense tagged fixed_pt.
 * H [0..E][j]; x [j] 7 bit unsigned, or a signed value that the neuron wrote; time [j] 1..E, 0 for none; decay exp(-1/tau);
 * rho uniform in [0, 1); rho' integers below 128 (lava) or 256; fraction 0..256
 */
export function traceHistory(
  H: Int32Array,
  x: Int32Array,
  time: Int32Array,
  decay: number,
  impulse: number,
  fraction: number,
  decayDraws: Draws,
  impulseDraws: Draws,
  n: number,
  E: number,
): void {
  const { values: rho, at, perStep, perNeuron } = decayDraws;
  const { values: rhoImpulse, at: atImpulse, perNeuron: perImpulse } = impulseDraws;
  for (let j = 0; j < n; j++) {
    H[j] = x[j];
    for (let h = 1; h <= E; h++) {
      const kept = decay * H[(h - 1) * n + j];
      const below = Math.floor(kept);
      let q = below + (rho[at + (h - 1) * perStep + j * perNeuron] < kept - below ? 1 : 0);
      if (time[j] === h) {
        q += impulse + (rhoImpulse[atImpulse + j * perImpulse] < fraction ? 1 : 0);
        q = q < 0 ? 0 : q > traceLimit ? traceLimit : q;
      }
      H[h * n + j] = q;
    }
  }
}

/** x = H(E): the trace that the next epoch starts from. */
export function keepTrace(x: Int32Array, H: Int32Array, n: number, E: number): void {
  for (let j = 0; j < n; j++) x[j] = H[E * n + j];
}
