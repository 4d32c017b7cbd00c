import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import {
  cut,
  type Dim,
  fieldLength,
  type Group,
  type Layout,
  layoutLength,
  type Sizes,
} from '../../src/core/layout.ts';

const sizes: Sizes = { stream: 2, step: 5, history: 1, self: 4, pre: 3, post: 4, syn: 12, out: 2, in: 3 };
const field = (...shape: readonly (Dim | number)[]) => ({ shape, home: 'post', unit: '1', doc: 'test' }) as const;
const groups: readonly Group[] = [
  { name: 'a', role: 'neuron', layout: { v: field('stream', 'self'), refractory: field('self') }, sizes },
  { name: 'b', layout: { none: field(0), scalar: field(), matrix: field('self', 'out') }, sizes },
];

describe('cut', () => {
  const block = cut(groups);

  it('gives disjoint views in declaration order that cover the buffer', () => {
    expect(block.table.map(({ dims: _, declared: __, ...entry }) => entry)).toEqual([
      { name: 'a.v', role: 'neuron', offset: 0, length: 8, shape: [2, 4] },
      { name: 'a.refractory', role: 'neuron', offset: 8, length: 4, shape: [4] },
      { name: 'b.none', role: 'rows', offset: 12, length: 0, shape: [0] },
      { name: 'b.scalar', role: 'rows', offset: 12, length: 1, shape: [] },
      { name: 'b.matrix', role: 'rows', offset: 13, length: 8, shape: [4, 2] },
    ]);
    expect(block.table[0].dims).toEqual(['stream', 'self']);
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

  it('takes the lengths of each owner, and groups of one name as one', () => {
    const made = cut([
      { name: 'a', layout: { v: field('self') }, sizes: { self: 2 } },
      { name: 'b', layout: { v: field('self') }, sizes: { self: 3 } },
      { name: 'a', layout: { tail: field('self') }, sizes: { self: 5 } },
    ]);
    expect(made.table.map(({ name, offset, length }) => [name, offset, length])).toEqual([
      ['a.v', 0, 2],
      ['b.v', 2, 3],
      ['a.tail', 5, 5],
    ]);
    expect(Object.keys(made.views('a'))).toEqual(['v', 'tail']);
    expect(made.views('a').tail).toBe(made.field('a.tail'));
  });

  it('refuses a name that is there, and a length that the owner does not have', () => {
    expect(() => cut([groups[0], { ...groups[0], layout: { v: field() } }])).toThrow(
      'layout: got "a.v", expected another name',
    );
    const ownerless = { name: 'a', layout: { v: field('syn') }, sizes: { stream: 2, self: 4 } };
    expect(() => cut([ownerless])).toThrow(ConfigError);
    expect(() => cut([ownerless])).toThrow('got "syn", expected a length that its owner has: stream, self');
  });

  it('allocates once, of the length of all fields, for any shapes', () => {
    const dims = fc.constantFrom<Dim>('stream', 'step', 'self', 'out', 'syn');
    const shape = fc.array(fc.oneof(dims, fc.integer({ min: 0, max: 4 })), { maxLength: 3 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), shape, { maxKeys: 5 }), (shapes) => {
        const layout: Layout = Object.fromEntries(Object.entries(shapes).map(([name, of]) => [name, field(...of)]));
        const asked: number[] = [];
        const made = cut([{ name: 'g', layout, sizes }], (n) => {
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
