import { UnsupportedError } from '../../core/errors.ts';

/** Exports of `kernels/index.ts`; `net` is the address of a `Net`, other numbers are as the kernels name them. */
export interface Kernels {
  forward(net: number, b0: number, b1: number, t0: number, t1: number): void;
  readout(net: number, b0: number, b1: number, t0: number, t1: number): void;
  errors(net: number, b0: number, b1: number, t0: number, t1: number): void;
  broadcast(net: number, b0: number, b1: number, t0: number, t1: number): void;
  rateRunning(net: number, b0: number, b1: number, t0: number, t1: number): void;
  rateOfTrial(net: number, steps: number): void;
  traceOuter(net: number, b0: number, b1: number, t: number): void;
  traceSynaptic(net: number, b0: number, b1: number, t0: number, t1: number): void;
  postponed(net: number, b0: number, b1: number, steps: number): void;
  traceEnd(net: number): void;
  gradientOfTrial(net: number, b0: number, b1: number, steps: number): void;
  readoutGradient(net: number, b0: number, b1: number, t: number): void;
  readoutGradientOfTrial(net: number, b0: number, b1: number, steps: number): void;
  stepSgd(g: number, n: number, factor: number): void;
  stepMomentum(g: number, velocity: number, n: number, scale: number, rate: number, momentum: number): void;
  stepAdam(
    g: number,
    mean: number,
    square: number,
    n: number,
    scale: number,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void;
  take(w: number, g: number, n: number, factor: number, low: number, high: number): void;
  follow(b: number, step: number, n: number, keep: number): void;
  multiply(x: number, n: number, factor: number): void;
  clearDiagonal(x: number, n: number): void;
}

let compiled: WebAssembly.Module | null = null;

/** In a browser: hands over the kernels before the first network is built, for example from `fetch`. */
export async function loadKernels(source: Response | Promise<Response> | BufferSource): Promise<void> {
  const response = await source;
  const bytes = response instanceof Response ? await response.arrayBuffer() : response;
  compiled = await WebAssembly.compile(bytes);
}

/** Address of the kernels beside this file, for `loadKernels(fetch(kernelsUrl))`. */
export const kernelsUrl = new URL('./kernels.wasm', import.meta.url);

/** Whether kernels are at hand: loaded, or on the disk of a Node process. */
export function hasKernels(): boolean {
  return compiled !== null || nodeBytes() !== null;
}

export function instantiate(memory: WebAssembly.Memory): Kernels {
  if (!compiled) {
    const bytes = nodeBytes();
    if (!bytes)
      throw new UnsupportedError(
        'backend "wasm": the kernels are not loaded; call loadKernels(fetch(kernelsUrl)) first',
      );
    compiled = new WebAssembly.Module(bytes);
  }
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernels;
}

/** The kernels' bytes where there is a file system. */
function nodeBytes(): BufferSource | null {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs');
  return fs?.existsSync(kernelsUrl) ? fs.readFileSync(kernelsUrl) : null;
}
