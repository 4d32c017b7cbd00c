import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { renderNetwork } from '../../src/plot/index.ts';
import type { NetworkData, NetworkEdge } from '../../src/plot/types.ts';
import { count, decode, isBlue, isVermilion, type Picture } from './pixels.ts';

const nodes: NetworkData['nodes'] = [
  { name: 'input', lines: ['10 units'], kind: 'input', column: 0 },
  { name: 'exc', lines: ['80 lif'], kind: 'population', column: 1 },
  { name: 'inh', lines: ['20 lif'], kind: 'population', column: 1 },
  { name: 'out', lines: ['2 outputs', 'square'], kind: 'readout', column: 2 },
];
const edge = (from: string, to: string, rest: Partial<NetworkEdge> = {}): NetworkEdge => ({
  from,
  to,
  label: '',
  sign: 'either',
  plastic: true,
  ...rest,
});
const frame: NetworkData = { nodes, edges: [edge('input', 'exc'), edge('exc', 'out')] };

const whole = (picture: Picture) => ({ left: 0, top: 0, right: picture.width - 1, bottom: picture.height - 1 });
const drawn = (edges: readonly NetworkEdge[]) => decode(renderNetwork({ nodes, edges: [...frame.edges, ...edges] }));

describe('renderNetwork', () => {
  it('draws excitation blue and inhibition vermilion, and neither where signs are free', async () => {
    const free = await drawn([edge('exc', 'inh')]);
    expect(count(free, whole(free), isBlue)).toBe(0);
    expect(count(free, whole(free), isVermilion)).toBe(0);
    const both = await drawn([edge('exc', 'inh', { sign: 'excitatory' }), edge('inh', 'exc', { sign: 'inhibitory' })]);
    expect(count(both, whole(both), isBlue)).toBeGreaterThan(50);
    expect(count(both, whole(both), isVermilion)).toBeGreaterThan(50);
  });

  it('dashes what does not learn', async () => {
    const ink = async (plastic: boolean) => {
      const picture = await drawn([edge('exc', 'inh', { sign: 'excitatory', plastic })]);
      return count(picture, whole(picture), isBlue);
    };
    const [learns, frozen] = [await ink(true), await ink(false)];
    expect(frozen).toBeGreaterThan(0.4 * learns);
    expect(frozen).toBeLessThan(0.85 * learns);
  });

  it('puts the loop of the first population of a column above it, and that of the last below', async () => {
    const height = async (name: string) => {
      const picture = await drawn([edge(name, name, { sign: 'excitatory' })]);
      let [sum, pixels] = [0, 0];
      for (let y = 0; y < picture.height; y++) {
        for (let x = 0; x < picture.width; x++) {
          if (!isBlue(picture.at(x, y))) continue;
          sum += y;
          pixels++;
        }
      }
      return sum / pixels / picture.height;
    };
    expect(await height('exc')).toBeLessThan(0.25);
    expect(await height('inh')).toBeGreaterThan(0.75);
  });

  it('refuses edges between nodes that are not there, and an empty network', () => {
    expect(() => renderNetwork({ nodes, edges: [edge('exc', 'nowhere')] })).toThrow(ConfigError);
    expect(() => renderNetwork({ nodes, edges: [edge('exc', 'nowhere')] })).toThrow(
      'edges[0]: got "exc -> nowhere", expected names of nodes',
    );
    expect(() => renderNetwork({ nodes: [], edges: [] })).toThrow(/node/);
  });
});
