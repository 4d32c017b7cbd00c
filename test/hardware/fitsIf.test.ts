import { describe, expect, it } from 'vitest';
import { type ChipProfile, demandOf, deploy, profiles } from '../../hardware/index.ts';
import { network, type Options } from './demands.ts';

const rules: readonly (readonly [rule: object, options: Options])[] = [
  [{ name: 'e-prop-1', feedback: 'symmetric' }, {}],
  [{ name: 'e-prop-1' }, { neuron: { kind: 'alif' }, optimizer: 'adam' }],
  [{ name: 'e-prop-1' }, { neuron: { kind: 'lif', membrane: { decay: 0.9999999 }, nRef: 80 }, neurons: 20, inputs: 4 }],
  [
    { name: 'sg-r-d', delays: 2 },
    { neurons: 40, inputs: 4 },
  ],
  [
    { name: 'rflo', leak: { decay: 0.9 } },
    { neurons: 600, inputs: 2000 },
  ],
  [{ name: 'bptt' }, { neurons: 30, inputs: 4 }],
  [{ name: 'rtrl' }, { neurons: 12, inputs: 4 }],
  [{ name: 'node-perturbation' }, { neurons: 30, inputs: 4 }],
  [{ name: 'readout-only' }, { neuron: { kind: 'rate' }, neurons: 1200, inputs: 4 }],
];

const cases = rules.flatMap(([rule, options]) =>
  profiles.map((chip) => ({ label: `${JSON.stringify({ ...rule, ...options })} on ${chip.id}`, rule, options, chip })),
);

/** A profile that offers what `path >= number` asks for. */
function offering(chip: ChipProfile, path: string, number: number): ChipProfile {
  const changed = structuredClone(chip) as unknown as Record<string, unknown>;
  const keys = path.split('.');
  const owner = keys.slice(0, -1).reduce((node, key) => node[key] as Record<string, unknown>, changed);
  const last = keys[keys.length - 1];
  const given = owner[last];
  owner[last] = typeof given === 'object' ? { ...given, value: number } : number;
  return changed as unknown as ChipProfile;
}

describe('what would fit', () => {
  it.each(cases)('$label', ({ rule, options, chip }) => {
    const demand = demandOf(network(rule, options).run.network.spec);
    for (const { name, status, fitsIf } of deploy(demand, chip).checks) {
      expect(fitsIf === null, name).toBe(status !== 'fail');
      if (fitsIf === null) continue;
      const clauses = fitsIf.split(' and ').map((clause) => /^([\w.]+) >= (\d+)$/.exec(clause));
      if (!clauses.every((clause) => clause !== null)) continue;
      const offered = clauses.reduce((now, [, path, number]) => offering(now, path, Number(number)), chip);
      const again = deploy(demand, offered).checks.find((check) => check.name === name);
      expect({ name, fitsIf, status: again?.status, because: again?.because }).not.toMatchObject({ status: 'fail' });
      // One less of the first would not do.
      const [, path, number] = clauses[0];
      const less = deploy(demand, offering(offered, path, Number(number) - 1)).checks;
      expect(less.find((check) => check.name === name)?.status, `${name}: ${path} >= ${number}`).toBe('fail');
    }
  });
});
