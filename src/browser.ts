/**
 * Entry for a page: everything of the library but files, figures and the command line, in one module without bare imports.
 * `await ready()` once, then `createExperiment(config, catalogue)` as in Node.
 */
import { models } from '../models/index.ts';
import { tasks } from '../tasks/index.ts';
import { loadKernels } from './backends/wasm/load.ts';
import { kernelsUrl } from './backends/wasm/module.ts';
import type { Catalogue } from './core/plugins.ts';

export * from './index.ts';
export { models, tasks };

export const catalogue: Catalogue = { ...models, tasks };

/** Fetches the kernels of the wasm backend from beside this module, or from another address. */
export async function ready(url: string | { readonly href: string } = kernelsUrl): Promise<void> {
  await loadKernels(fetch(typeof url === 'string' ? url : url.href));
}
