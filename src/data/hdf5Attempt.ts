import { FileError, UnsupportedError } from '../core/errors.ts';
import { hdf5HasFilters } from './hdf5Load.ts';

/** What brought HDF5 down; null: it runs. */
let crashed: string | null = null;

/**
 * A call of HDF5. Its errors are a page long: the innermost of what went wrong is kept. It is a machine of its own (WebAssembly), which some damaged
 * files bring down: nothing is asked of it afterwards, since what it then says, or whether it ends, nobody knows.
 * @throws FileError, UnsupportedError after a crash
 */
export function attemptHdf5<T>(path: string, done: 'read' | 'write', action: () => T): T {
  if (crashed !== null) {
    throw new UnsupportedError(`${path}: HDF5 has crashed on ${crashed}; start anew without that file`);
  }
  try {
    return action();
  } catch (error) {
    if (error instanceof FileError || error instanceof UnsupportedError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof Error && error.name === 'RuntimeError') {
      crashed = path;
      throw new FileError(
        path,
        `has crashed HDF5 (${text.split('\n')[0]}): the file is damaged; start anew without it`,
      );
    }
    const lines = [...text.matchAll(/ in \w+\(\): (.+)/g)].map((match) => match[1]);
    const missing = text.includes('filter') && !hdf5HasFilters();
    throw new FileError(
      path,
      `HDF5 cannot ${done} it: ${lines.at(-1) ?? text.split('\n')[0]}` +
        (missing ? '; more filters: npm install --legacy-peer-deps h5wasm-plugins@0.2.1' : ''),
    );
  }
}

/** Ends what was opened; a machine that is down has nothing open. */
export function closeHdf5(path: string, done: 'read' | 'write', close: () => unknown): void {
  if (crashed === null) attemptHdf5(path, done, close);
}
