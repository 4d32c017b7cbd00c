import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { cut, type Dim, fieldLength, type Layout, layoutLength, type Sizes } from '../../src/core/layout.ts';

const sizes: Sizes = { stream: 2, step: 5, history: 1, in: 3, rec: 4, out: 2, synIn: 12, synRec: 16 };
const field = (...shape: readonly (Dim | number)[]) => ({ shape, home: 'post', unit: '1', doc: 'test' }) as const;
const groups = {
  a: { v: field('stream', 'rec'), refractory: field('rec') },
  b: { none: field(0), scalar: field(), matrix: field('rec', 'out') },
} as const satisfies Record<string, Layout>;

describe('cut', () => {
  const block = cut(groups, sizes);

  it('gives disjoint views in declaration order that cover the buffer', () => {
    expect(block.table.map(({ dims: _, ...entry }) => entry)).toEqual([
      { name: 'a.v', offset: 0, length: 8, shape: [2, 4] },
      { name: 'a.refractory', offset: 8, length: 4, shape: [4] },
      { name: 'b.none', offset: 12, length: 0, shape: [0] },
      { name: 'b.scalar', offset: 12, length: 1, shape: [] },
      { name: 'b.matrix', offset: 13, length: 8, shape: [4, 2] },
    ]);
    expect(block.table[0].dims).toEqual(['stream', 'rec']);
    expect(block.data).toHaveLength(21);
    block.table.forEach(({ name }, n) => {
      block.field(name).fill(n + 1);
    });
    expect(block.data).toBeBitEqual([...Array(8).fill(1), ...Array(4).fill(2), 4, ...Array(8).fill(5)]);
  });

  it('gives the same array by group and by name', () => {
    expect(block.views('a').v).toBe(block.field('a.v'));
    expect(Object.keys(block.views('b'))).toEqual(['none', 'scalar', 'matrix']);
    expect(block.views('nothing')).toEqual({});
  });

  it('names what there is where a field is not', () => {
    expect(() => block.field('a.w')).toThrow(ConfigError);
    expect(() => block.field('a.w')).toThrow('field: got "a.w", expected one of a.v, a.refractory, b.none');
  });

  it('allocates once, of the length of all fields, for any shapes', () => {
    const dims = fc.constantFrom<Dim>('stream', 'step', 'rec', 'out', 'synIn');
    const shape = fc.array(fc.oneof(dims, fc.integer({ min: 0, max: 4 })), { maxLength: 3 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), shape, { maxKeys: 5 }), (shapes) => {
        const layout = Object.fromEntries(Object.entries(shapes).map(([name, of]) => [name, field(...of)]));
        const asked: number[] = [];
        const made = cut({ g: layout }, sizes, (n) => {
          asked.push(n);
          return new Float32Array(n);
        });
        expect(asked).toEqual([layoutLength(layout, sizes)]);
        let end = 0;
        for (const { name, offset, length } of made.table) {
          expect(offset).toBe(end);
          expect(length).toBe(fieldLength(layout[name.slice(2)], sizes));
          expect(made.field(name).byteOffset).toBe(4 * offset);
          end = offset + length;
        }
        expect(end).toBe(made.data.length);
      }),
      { seed: 1 },
    );
  });
});
