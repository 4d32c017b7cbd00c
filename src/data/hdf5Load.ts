import { UnsupportedError } from '../core/errors.ts';
import { nodeModule } from '../core/nodeModule.ts';

/** A type as h5wasm describes it. */
export interface Hdf5Type {
  /** Class of HDF5: 0 whole number, 1 floating point, 3 text, 6 compound, 7 reference, 8 enumeration, 9 of variable length. */
  readonly type: number;
  /** Bytes of one value in memory. */
  readonly size: number;
  readonly signed: boolean;
  /** Of text: whether each entry has a length of its own. */
  readonly vlen?: boolean;
  readonly vlen_type?: Hdf5Type;
  readonly ref_type?: 'object' | 'region';
  readonly compound_type?: {
    readonly members: readonly (Hdf5Type & { readonly name: string; readonly offset: number })[];
  };
}

export interface Hdf5DataSet extends Hdf5Type {
  readonly vlen: boolean;
  /** Null for a data set without space. */
  readonly shape: readonly number[] | null;
  readonly total_size: number;
}

/**
 * What is asked of h5wasm. The whole of its type belongs to an optional peer, which no declaration that a program imports may name: it
 * would not compile where the peer is not installed.
 */
export interface Hdf5Module {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(at: number): void;
  open(path: string, mode: number, trackOrder: boolean, oldest: number, newest: number): bigint;
  close_file(file: bigint): number;
  get_type(file: bigint, name: string): number;
  get_names(file: bigint, name: string, recursive: boolean): readonly string[];
  get_dataset_metadata(file: bigint, name: string): Hdf5DataSet;
  get_dataset_data(
    file: bigint,
    name: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    at: bigint,
  ): number;
  reclaim_vlen_memory_count(
    file: bigint,
    name: string,
    attribute: string,
    at: bigint,
    count: readonly bigint[],
  ): number;
  get_attribute_names(file: bigint, name: string): readonly string[];
  get_attribute_metadata(file: bigint, name: string, attribute: string): Hdf5DataSet;
  get_attribute_data(file: bigint, name: string, attribute: string, at: bigint): number;
  get_referenced_name(file: bigint, reference: Uint8Array, isObject: boolean): string;
  insert_plugin_search_path(path: string, place: number): number;
  activate_throwing_error_handler(): number;
}

export interface LoadedHdf5 {
  readonly module: Hdf5Module;
  /** Whether filters beside gzip and szip are there, among them LZF, in which tonic packs its caches. */
  readonly filters: boolean;
}

let loaded: LoadedHdf5 | null = null;

/** Whether filters beside gzip and szip are there, as far as HDF5 is loaded for recordings. */
export const hdf5HasFilters = (): boolean => loaded?.filters ?? false;

const install =
  'npm install h5wasm@0.10.3, and npm install --legacy-peer-deps h5wasm-plugins@0.2.1 for LZF, Blosc and others';

/**
 * HDF5, once `loadHdf5` has brought it in: reading does not wait.
 * @throws UnsupportedError before, with what to do
 */
export function loadedHdf5(): LoadedHdf5 {
  if (loaded) return loaded;
  throw new UnsupportedError(
    'HDF5 is not loaded: await loadTaskFiles(config, catalogue), or loadHdf5(), before an experiment that reads such a file',
  );
}

/**
 * Loads HDF5: h5wasm, and the filters of h5wasm-plugins where they are installed. Its default errors are silent, so that a file that is
 * damaged would give numbers; here they are thrown.
 * @throws UnsupportedError where h5wasm is not installed, with what to install
 */
export async function loadHdf5(
  importer: (name: string) => Promise<unknown> = (name) => import(name),
  resolve: (name: string) => string = nodeModule('node:module', 'HDF5').createRequire(import.meta.url).resolve,
): Promise<LoadedHdf5> {
  if (loaded) return loaded;
  const module = await (await importH5wasm<{ readonly ready: Promise<Hdf5Module> }>(importer)).ready;
  const folder = pluginFolder(resolve);
  if (folder !== null) module.insert_plugin_search_path(folder, 0);
  loaded = { module, filters: folder !== null };
  return loaded;
}

/**
 * The package h5wasm, with errors that throw: by default it opens what is no HDF5 file, and reads garbage.
 * @throws UnsupportedError where it is not installed, with what to install
 */
export async function importH5wasm<
  Package extends { readonly ready: Promise<{ activate_throwing_error_handler(): unknown }> },
>(importer: (name: string) => Promise<unknown> = (name) => import(name)): Promise<Package> {
  let found: Package;
  try {
    found = (await importer('h5wasm/node')) as Package;
  } catch (error) {
    const { code, message = String(error) } = error as { code?: string; message?: string };
    const problem = code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : `does not load (${message.split('\n')[0]})`;
    throw new UnsupportedError(`HDF5 files need the package h5wasm, which ${problem}: ${install}`);
  }
  (await found.ready).activate_throwing_error_handler();
  return found;
}

function pluginFolder(resolve: (name: string) => string): string | null {
  try {
    const { dirname, join } = nodeModule('node:path', 'HDF5');
    return join(dirname(resolve('h5wasm-plugins')), 'plugins');
  } catch {
    return null;
  }
}
