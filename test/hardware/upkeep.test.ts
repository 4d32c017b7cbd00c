import { describe, expect, it } from 'vitest';
import { type Demand, demandOf, deploy, profiles } from '../../hardware/index.ts';
import { network } from './demands.ts';

const connectivity = { kind: 'in-degree', n: 20 };
const eprop = { name: 'e-prop-1' };
const sized = { neurons: 64, inputs: 32 };
const demanded = (recurrent: object) => demandOf(network(eprop, { ...sized, recurrent }).run.network.spec);
const plain = demanded({ connectivity });
const rewired = demanded({ connectivity, rewiring: { kind: 'deep-r' } });
const scaled = demanded({ connectivity, scaling: { kind: 'presynaptic-scaling' } });

const chipOf = (id: string) => {
  const chip = profiles.find((profile) => profile.id === id);
  if (!chip) throw new Error(`no chip ${id}`);
  return chip;
};

const answered = (demand: Demand, chip: string) =>
  deploy(demand, chipOf(chip)).checks.find(({ name }) => name === 'rewiring and scaling');

describe('a network whose synapses come and go', () => {
  it('asks for as many synapses as it has, and not for every pair', () => {
    expect(rewired.projections[1].synapses).toBe(20 * 64);
    expect({ ...rewired, upkeep: plain.upkeep }).toEqual(plain);
    expect(rewired.upkeep).toEqual(['the rewiring "deep-r" of rec']);
  });

  it('is told who has to make them', () => {
    expect(answered(plain, 'spinnaker2')).toMatchObject({ status: 'pass', because: 'not asked' });
    expect(answered(rewired, 'spinnaker2')).toMatchObject({
      status: 'degraded',
      because: 'the rewiring "deep-r" of rec: between updates, by the program of a core',
    });
    expect(answered(rewired, 'loihi2')?.because).toMatch(/by a host that reads and writes the weights$/);
  });
});

it('a scaled network keeps the mean activity of both sides', () => {
  const added = scaled.learning?.variables.filter(({ part }) => part === 'scaling') ?? [];
  expect(added.map(({ name, home, count, kind }) => ({ name, home, count, kind }))).toEqual([
    { name: 'projection.rec.scaling.pre', home: 'pre', count: 64, kind: 'vector' },
    { name: 'projection.rec.scaling.post', home: 'post', count: 64, kind: 'vector' },
  ]);
  expect(scaled.learning?.variables.length).toBe((plain.learning?.variables.length ?? 0) + 2);
  expect(answered(scaled, 'loihi2')).toMatchObject({ status: 'degraded' });
});
