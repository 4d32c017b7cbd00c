import { UnsupportedError } from '../../core/errors.ts';

/**
 * What is asked of TensorFlow.js beside its operations. The whole of its type belongs to an optional peer, which no declaration that a
 * program imports may name: it would not compile where the peer is not installed.
 */
export interface TensorFlowModule {
  ready(): Promise<void>;
  setBackend(name: string): Promise<boolean>;
  tensor1d(values: number[]): { dispose(): void };
  memory(): { numTensors: number; numBytes: number };
}

/** TensorFlow.js as it was found, and in words what was found and what was not. */
export interface LoadedTensorFlow {
  readonly tf: TensorFlowModule;
  readonly engine: string;
  readonly report: readonly string[];
}

/** Packages with a native library, the preferred one first. */
const nativePackages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

let loaded: LoadedTensorFlow | null = null;

/** What `loadTensorFlow` found; null before. */
export function loadedTensorFlow(): LoadedTensorFlow | null {
  return loaded;
}

/**
 * Loads TensorFlow.js: `@tensorflow/tfjs-node-gpu` (CUDA) if it is installed and works, else `@tensorflow/tfjs-node`, else
 * its WebAssembly backend. A package that is installed without its native library is reported by name and passed over.
 * @throws UnsupportedError if none can be used, with what to install
 */
export async function loadTensorFlow(
  importer: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<LoadedTensorFlow> {
  if (loaded) return loaded;
  const report: string[] = [];
  for (const name of nativePackages) {
    const tf = await tryNative(name, importer, report);
    if (tf) {
      loaded = { tf, engine: name, report };
      return loaded;
    }
  }
  const tf = await tryWasm(importer, report);
  if (!tf) {
    throw new UnsupportedError(
      `backend "tfjs": TensorFlow.js is not usable: ${report.join('; ')}. ` +
        'Install one of: npm i @tensorflow/tfjs-node-gpu (NVIDIA, CUDA), npm i @tensorflow/tfjs-node, ' +
        'or npm i @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm (any machine)',
    );
  }
  loaded = { tf, engine: '@tensorflow/tfjs-backend-wasm', report };
  return loaded;
}

async function tryNative(
  name: string,
  importer: (name: string) => Promise<unknown>,
  report: string[],
): Promise<TensorFlowModule | null> {
  try {
    const found = (await importer(name)) as { default?: TensorFlowModule } & TensorFlowModule;
    const tf = found.default ?? found;
    await tf.ready();
    tf.tensor1d([1]).dispose();
    report.push(`${name} found`);
    return tf;
  } catch (error) {
    report.push(`${name} ${problem(name, error)}`);
    return null;
  }
}

async function tryWasm(
  importer: (name: string) => Promise<unknown>,
  report: string[],
): Promise<TensorFlowModule | null> {
  try {
    const tf = (await importer('@tensorflow/tfjs-core')) as TensorFlowModule;
    await importer('@tensorflow/tfjs-backend-wasm');
    await tf.setBackend('wasm');
    await tf.ready();
    report.push('@tensorflow/tfjs-backend-wasm found');
    return tf;
  } catch (error) {
    report.push(`@tensorflow/tfjs-backend-wasm ${problem('@tensorflow/tfjs-', error)}`);
    return null;
  }
}

/** What kept a package from loading, in words. */
function problem(name: string, error: unknown): string {
  const { code, message = String(error) } = error as { code?: string; message?: string };
  if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(name)) return 'is not installed';
  if (/tfjs_binding|libtensorflow|NODE_MODULE_VERSION|ERR_DLOPEN_FAILED|addon|napi/i.test(`${code} ${message}`)) {
    return `is installed without its native library (npm rebuild ${name})`;
  }
  return `does not load (${message.split('\n')[0]})`;
}
