import { keepModule } from './module.ts';

/** What `fetch` answers with, as far as it is asked: a program whose `lib` has no DOM can name it too. */
export interface FetchedBytes {
  arrayBuffer(): Promise<ArrayBuffer>;
}

export type KernelSource = FetchedBytes | Promise<FetchedBytes> | ArrayBuffer | ArrayBufferView;

/** In a browser: hands over the kernels before the first network is built. */
export async function loadKernels(source: KernelSource): Promise<void> {
  const given = await source;
  const bytes = 'arrayBuffer' in given ? await given.arrayBuffer() : given;
  keepModule('own', await WebAssembly.compile(bytes as BufferSource));
}
