import { beforeEach, describe, expect, it, vi } from 'vitest';

/** `loadTensorFlow` remembers what it found, so every test gets the module anew. */
async function fresh() {
  return (await import('../../src/backends/tfjs/load.ts')).loadTensorFlow;
}

const missing = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from load.js`), { code: 'ERR_MODULE_NOT_FOUND' });
const withoutLibrary = (name: string) =>
  Object.assign(new Error(`Cannot find module 'node_modules/${name}/lib/napi-v8/tfjs_binding.node'\nRequire stack:`), {
    code: 'MODULE_NOT_FOUND',
  });

/** Imports nothing but what is in `broken` or `there`. */
function importer(there: Readonly<Record<string, unknown>>, broken: Readonly<Record<string, Error>> = {}) {
  return async (name: string) => {
    if (name in broken) throw broken[name];
    if (name in there) return there[name];
    throw missing(name);
  };
}

/** As much of TensorFlow.js as loading it asks for. */
const working = () => ({
  ready: vi.fn(async () => {}),
  setBackend: vi.fn(async () => true),
  tensor1d: vi.fn(() => ({ dispose() {} })),
});

const wasmPackages = () => ({ '@tensorflow/tfjs-core': working(), '@tensorflow/tfjs-backend-wasm': {} });

describe('loading TensorFlow.js', () => {
  beforeEach(() => {
    vi.resetModules();
  });

  it('prefers the GPU package, then the CPU one, then WebAssembly', async () => {
    const all = { '@tensorflow/tfjs-node-gpu': working(), '@tensorflow/tfjs-node': working(), ...wasmPackages() };
    expect((await (await fresh())(importer(all))).engine).toBe('@tensorflow/tfjs-node-gpu');
    vi.resetModules();
    const { '@tensorflow/tfjs-node-gpu': _, ...noGpu } = all;
    expect((await (await fresh())(importer(noGpu))).engine).toBe('@tensorflow/tfjs-node');
    vi.resetModules();
    expect((await (await fresh())(importer(wasmPackages()))).engine).toBe('@tensorflow/tfjs-backend-wasm');
  });

  it('names a package that is installed without its native library, and passes it over', async () => {
    const name = '@tensorflow/tfjs-node-gpu';
    const found = await (await fresh())(importer(wasmPackages(), { [name]: withoutLibrary(name) }));
    expect(found.engine).toBe('@tensorflow/tfjs-backend-wasm');
    expect(found.report).toEqual([
      `${name} is installed without its native library (npm rebuild ${name})`,
      '@tensorflow/tfjs-node is not installed',
      '@tensorflow/tfjs-backend-wasm found',
    ]);
  });

  it('says what to install where nothing can be used', async () => {
    const load = await fresh();
    await expect(load(importer({}))).rejects.toThrow(/not usable: .*tfjs-node-gpu is not installed.*npm i @tensorflow/);
  });
});
