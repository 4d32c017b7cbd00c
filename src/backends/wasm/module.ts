import { UnsupportedError } from '../../core/errors.ts';

/** A kernel over the streams [b0, b1) and the steps [t0, t1); `net` is the address of a `Net`. */
export type StageKernel = (net: number, b0: number, b1: number, t0: number, t1: number) => void;

/** Kernels that may run on parts of the streams at the same time, in the order of their numbers. */
export const stageNames = [
  'forward',
  'readout',
  'errors',
  'broadcast',
  'rateRunning',
  'rateOfStreams',
  'gradientOnline',
  'gradientAtEnd',
  'wholeTrial',
  'correlate',
] as const;
export type StageName = (typeof stageNames)[number];

/** Exports of `kernels/index.ts`; numbers are as the kernels name them. */
export interface Kernels extends Readonly<Record<StageName, StageKernel>> {
  rateOfBatch(net: number, steps: number): void;
  bpttBack(net: number, record: number, s0: number, s1: number, from: number): void;
  learnedAdapt(rule: number, b: number, steps: number): void;
  learnedCredit(rule: number, b: number, steps: number): void;
  dendriteStep(net: number, dendrite: number, t: number, rateScale: number): void;
  traceEnd(net: number): void;
  reduce(sum: number, part: number, n: number): void;
  addTo(sum: number, part: number, n: number): void;
  squares(x: number, n: number): number;
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
  stepOnce(g: number, n: number, rate: number, delta: number, key: number, count: number): void;
  take(w: number, g: number, n: number, factor: number, low: number, high: number): void;
  follow(b: number, step: number, n: number, width: number, size: number, keep: number): void;
  multiply(x: number, n: number, factor: number): void;
  drawNormal(out: number, n: number, sd: number, key: number, first: number): void;
  drawSign(out: number, n: number, sd: number, key: number, first: number): void;
  clearDiagonal(x: number, n: number): void;
}

/** The kernels are compiled twice: for memory of one thread, and for memory that threads share; `double`: loops in float64. */
export type MemoryKind = 'own' | 'shared' | 'double';

const urls: Readonly<Record<MemoryKind, URL>> = {
  own: new URL('./kernels.wasm', import.meta.url),
  shared: new URL('./kernels-shared.wasm', import.meta.url),
  double: new URL('./kernels-double.wasm', import.meta.url),
};

const compiled = new Map<MemoryKind, WebAssembly.Module>();

/** Address of the kernels beside this file, for `loadKernels(fetch(kernelsUrl))` in a browser. */
export const kernelsUrl = urls.own;

/** Keeps kernels that were compiled elsewhere. */
export function keepModule(kind: MemoryKind, module: WebAssembly.Module): void {
  compiled.set(kind, module);
}

/** Whether kernels are at hand: loaded, or on the disk of a Node process. */
export function hasKernels(kind: MemoryKind = 'own'): boolean {
  return compiled.has(kind) || nodeFiles()?.existsSync(urls[kind]) === true;
}

/** @throws UnsupportedError where the kernels are neither loaded nor on the disk */
export function kernelModule(kind: MemoryKind): WebAssembly.Module {
  const known = compiled.get(kind);
  if (known) return known;
  const files = nodeFiles();
  if (!files?.existsSync(urls[kind])) {
    throw new UnsupportedError('backend "wasm": the kernels are not loaded; call loadKernels(fetch(kernelsUrl)) first');
  }
  const module = new WebAssembly.Module(files.readFileSync(urls[kind]));
  compiled.set(kind, module);
  return module;
}

export function instantiate<K = Kernels>(module: WebAssembly.Module, memory: WebAssembly.Memory): K {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as K;
}

/** The file system, where there is one. */
function nodeFiles(): typeof import('node:fs') | undefined {
  return globalThis.process?.getBuiltinModule?.('node:fs');
}
