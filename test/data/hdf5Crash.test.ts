import { expect, it } from 'vitest';
import { FileError, UnsupportedError } from '../../src/core/errors.ts';
import { attemptHdf5, closeHdf5 } from '../../src/data/hdf5Attempt.ts';

it('asks nothing of HDF5 after a file that has brought it down', () => {
  const read = (path: string, action: () => number) => attemptHdf5(path, 'read', action);
  const fault = (error: Error) => () => {
    throw error;
  };
  expect(() => read('a.h5', fault(new Error('no page')))).toThrow(
    new FileError('a.h5', 'HDF5 cannot read it: no page'),
  );
  expect(read('b.h5', () => 3)).toBe(3);
  const down = new WebAssembly.RuntimeError('memory access out of bounds');
  expect(() => read('bad.h5', fault(down))).toThrow(/^bad\.h5: has crashed HDF5 \(memory access out of bounds\)/);
  let asked = false;
  const ask = () => {
    asked = true;
    return 3;
  };
  expect(() => read('b.h5', ask)).toThrow(UnsupportedError);
  expect(() => read('b.h5', ask)).toThrow(/^b\.h5: HDF5 has crashed on bad\.h5; start anew/);
  closeHdf5('bad.h5', 'read', ask);
  expect(asked).toBe(false);
});
