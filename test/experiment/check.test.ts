import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { models } from '../../models/index.ts';
import type {
  Catalogue,
  LossModel,
  NeuronBinding,
  NeuronModel,
  ReadoutBinding,
  ReadoutModel,
  Rule,
  SignalBinding,
  SignalModel,
  TaskInstance,
  TaskModel,
  TraceModel,
} from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { rowAt } from '../../src/core/rows.ts';
import { type CheckRow, checkEntry } from '../../src/experiment/check/index.ts';
import { tasks } from '../../tasks/index.ts';

const root = join(import.meta.dirname, '../..');
const catalogue = { ...models, tasks } as unknown as Catalogue;
const withParts = (parts: { readonly [List in keyof Catalogue]?: readonly unknown[] }): Catalogue =>
  Object.fromEntries(
    Object.entries(catalogue).map(([list, entries]) => [list, [...(parts[list as keyof Catalogue] ?? []), ...entries]]),
  ) as unknown as Catalogue;
const failed = (rows: readonly CheckRow[]) =>
  rows.flatMap(({ check, outcome }) => (outcome === 'fails' ? [check] : []));

/** What has no default. */
const choices: Readonly<Record<string, object>> = {
  window: { steps: 1 },
  'one-step': { delta: 0.01 },
  factored: { trace: { kind: 'eligibility' }, signal: { kind: 'broadcast' } },
  recording: {
    file: join(root, 'examples/recording.csv'),
    labelFile: join(root, 'examples/recording-labels.csv'),
    durationMs: 120,
    target: { kind: 'label', fromMs: 100 },
  },
};
/** Parts that need more than one population and one readout. */
const needMore = ['td-error', 'e-prop-2'];

describe.each(Object.keys(catalogue) as (keyof Catalogue)[])('our own %s', (list) => {
  const names = (catalogue[list] as readonly Record<string, unknown>[]).map((one) => String(one.name ?? one.kind));
  it.each(names)('%s holds what is asked of a stranger', (name) => {
    const rows = checkEntry(list, name, catalogue, choices[name] as never);
    if (needMore.includes(name)) expect(failed(rows)).toEqual(['is built']);
    else expect(rows.filter(({ outcome }) => outcome === 'fails')).toEqual([]);
  });
});

// ---------------------------------------------------------------- tasks with a fault

const taskParams = z.strictObject({ kind: z.literal('own') });
type Fill = TaskInstance['fill'];

/** A stream or trials of random bits, the target being the bit before. */
function taskWith(fill: Fill, changes: Partial<TaskInstance> = {}): Catalogue {
  const model: TaskModel<z.infer<typeof taskParams>> = {
    kind: 'own',
    source: 'own',
    params: taskParams,
    derive: () => ({
      nIn: 2,
      nOut: 1,
      mode: { kind: 'stream', stepsPerSymbol: 1 },
      statesExpected: false,
      testIsNew: true,
      bounds: [],
      inputPopulations: [{ label: 'bits', size: 2 }],
      fill,
      ...changes,
    }),
  };
  return withParts({ tasks: [model] });
}

const trial: Partial<TaskInstance> = { mode: { kind: 'trial', steps: 20 } };
/** Step t of a stream, and what else it writes. */
const eachStep =
  (write: (out: Parameters<Fill>[0], t: number, n: number, rng: Parameters<Fill>[1]) => void): Fill =>
  (out, rng, start) => {
    for (let t = 0; t < out.steps; t++) {
      const bit = rng.split(start + t).bernoulli(0.5);
      out.x[t * out.xStride] = bit;
      out.x[t * out.xStride + 1] = 1 - bit;
      out.target[t] = start + t > 0 ? rng.split(start + t - 1).bernoulli(0.5) : 0;
      out.weight[t] = 1;
      write(out, t, start + t, rng);
    }
  };
const sound = eachStep(() => {});
let calls = 0;

describe('a task', () => {
  const rowsFor = (given: Catalogue) => checkEntry('tasks', 'own', given);

  it('that is sound holds', () => {
    expect(failed(rowsFor(taskWith(sound)))).toEqual([]);
    expect(failed(rowsFor(taskWith((out, rng, start) => sound(out, rng.split(start), 0, 'train'), trial)))).toEqual([]);
  });

  it.each<readonly [fault: string, check: string, given: Catalogue]>([
    [
      'random numbers of its own',
      'is pure',
      taskWith(
        eachStep((out, t) => {
          out.target[t] = Math.random();
        }),
      ),
    ],
    [
      'a counter of its calls',
      'is pure',
      taskWith((out, rng, start, split) => {
        calls += 1;
        sound(out, rng.split(calls), start, split);
      }),
    ],
    [
      'a target that knows where the piece ends',
      'is causal',
      taskWith(
        eachStep((out, t) => {
          out.target[t] = out.steps - t;
        }),
      ),
    ],
    [
      'random numbers in the order in which it is asked',
      'is causal',
      taskWith((out, rng, start, split) => {
        sound(out, rng, start, split);
        for (let t = 0; t < out.steps; t++) out.target[t] = rng.split(start).split(t).uniform();
      }),
    ],
    [
      'a row that is left out',
      'fills all rows',
      taskWith(
        eachStep((out, t, n) => {
          if (n === 31) out.weight[t] = Number.NaN;
        }),
      ),
    ],
    [
      'a weight below 0',
      'fills all rows',
      taskWith(
        eachStep((out, t) => {
          out.weight[t] = -1;
        }),
      ),
    ],
    [
      'no step that is scored',
      'fills all rows',
      taskWith(
        eachStep((out, t) => {
          out.weight[t] = 0;
        }),
      ),
    ],
    [
      'rows as wide as its inputs',
      'writes no more',
      taskWith(
        eachStep((out, t) => {
          out.x[2 * t + 2] = 0;
        }),
      ),
    ],
    ['groups of another size', 'is made', taskWith(sound, { inputPopulations: [{ label: 'bits', size: 3 }] })],
    ['a bound below 0', 'is made', taskWith(sound, { bounds: [{ label: 'best', value: -1 }] })],
    [
      'a test that is the training',
      'test is new',
      taskWith((out, _, start) => sound(out, createRng(1).split(start), 0, 'train'), trial),
    ],
    [
      'streams that are all the same',
      'has streams of their own',
      taskWith((out, _, start, split) => sound(out, createRng(1).split(split), start, split)),
    ],
  ])('with %s fails "%s"', (_, check, given) => {
    expect(failed(rowsFor(given))).toContain(check);
  });
});

// ---------------------------------------------------------------- parts with a fault

const signalParams = z.strictObject({ kind: z.literal('own') });
type Step = (b: SignalBinding, t: number) => void;

/** L_j(t) = sum_k B_jk error_k(t), with whatever `step` does afterwards. */
function signalWith(step: Step): Catalogue {
  const model: SignalModel<z.infer<typeof signalParams>> = {
    kind: 'own',
    source: 'own',
    params: signalParams,
    derive: (_, { sizes }) => ({
      layout: { B: { shape: ['self', 'out'], home: 'post', unit: '1', doc: 'feedback weights' } },
      footprint: { reads: ['error'], phases: ['soma'] },
      refersTo: 'error',
      readoutDecay: 0,
      followsReadout: null,
      losses: [],
      linear: true,
      stepsPerPhase: 1,
      window: null,
      kernel: null,
      init: (state, rng) => {
        for (let s = 0; s < sizes.self * sizes.out; s++) state.B[s] = rng.normal();
      },
      bind: (binding) => ({
        step(t) {
          const { sizes: own, state, signal, error } = binding;
          for (let b = 0; b < own.stream; b++) {
            const [to, from] = [rowAt(signal, b, t), rowAt(error, b, t)];
            for (let j = 0; j < own.self; j++) {
              let sum = 0;
              for (let k = 0; k < own.out; k++) sum += state.B[j * own.out + k] * error.data[from + k];
              signal.data[to + j] = sum;
            }
          }
          step(binding, t);
        },
      }),
    }),
  };
  return withParts({ signals: [model] });
}

let shared = 0;

const lossParams = z.strictObject({ kind: z.literal('own') });
const quartic = (factor: number): LossModel<z.infer<typeof lossParams>> => ({
  kind: 'own',
  source: 'own',
  params: lossParams,
  derive: () => ({
    classification: false,
    kernel: null,
    error(error, y, target, row, nOut) {
      for (let k = row; k < row + nOut; k++) error[k] = factor * (y[k] - target[k]) ** 3;
    },
    value(y, target, row, nOut) {
      let sum = 0;
      for (let k = row; k < row + nOut; k++) sum += (y[k] - target[k]) ** 4 / 4;
      return sum;
    },
  }),
});

/** A part of ours whose `bind` is wrapped, under a name of its own. */
function wrapped<Model extends { readonly kind: string }>(model: Model, wrap: (instance: never) => object): Model {
  const { params, derive, ...rest } = model as unknown as {
    readonly params: z.ZodObject;
    derive(p: object, context: never): never;
  };
  return {
    ...rest,
    kind: 'own',
    params: z.strictObject({ ...params.shape, kind: z.literal('own') }),
    derive: (p: object, context: never) => wrap(derive({ ...p, kind: model.kind }, context)),
  } as unknown as Model;
}

/** A rule of ours under a name of its own, with another claim. */
function wrappedRule(rule: Rule & { readonly params: z.ZodObject }, exact: Rule['exact']): object {
  return { ...rule, name: 'own', exact, params: z.strictObject({ ...rule.params.shape, name: z.literal('own') }) };
}

const ours = <Model>(list: readonly unknown[], kind: string) =>
  list.find((one) => (one as { kind: string }).kind === kind) as Model & { readonly kind: string };

describe('a part', () => {
  it('that is sound holds', () => {
    expect(
      failed(
        checkEntry(
          'signals',
          'own',
          signalWith(() => {}),
        ),
      ),
    ).toEqual([]);
    expect(failed(checkEntry('losses', 'own', withParts({ losses: [quartic(1)] })))).toEqual([]);
  });

  it('whose error is no slope of its loss fails', () => {
    expect(failed(checkEntry('losses', 'own', withParts({ losses: [quartic(1.001)] })))).toEqual([
      'error is the slope of the loss',
    ]);
  });

  it.each<readonly [fault: string, check: string, step: Step]>([
    [
      'random numbers of its own',
      'is repeatable',
      ({ signal }, t) => {
        signal.data[rowAt(signal, 0, t)] += Math.random();
      },
    ],
    [
      'a number that all networks share',
      'is repeatable',
      ({ signal }, t) => {
        shared += 1;
        signal.data[rowAt(signal, 0, t)] += shared;
      },
    ],
    [
      'the error of the first stream for all of them',
      'has streams of their own',
      ({ signal, sizes }, t) => {
        for (let b = 1; b < sizes.stream; b++) {
          for (let j = 0; j < sizes.self; j++)
            signal.data[rowAt(signal, b, t) + j] = signal.data[rowAt(signal, 0, t) + j];
        }
      },
    ],
    [
      'spikes that its footprint does not declare',
      'reads what it declares',
      ({ signal, z }, t) => {
        signal.data[rowAt(signal, 0, t)] += z.data[rowAt(z, 0, t)];
      },
    ],
    [
      'the activity of the step after',
      'is causal',
      ({ signal, error }, t) => {
        if (t < 29) signal.data[rowAt(signal, 0, t)] += error.data[rowAt(error, 0, t + 1)] + 1;
        error.data[rowAt(error, 0, 0)] += 0;
      },
    ],
    [
      'a division by 0',
      'stays finite',
      ({ signal }, t) => {
        signal.data[rowAt(signal, 0, t)] /= 0;
      },
    ],
  ])('with %s fails "%s"', (_, check, step) => {
    expect(failed(checkEntry('signals', 'own', signalWith(step)))).toContain(check);
  });

  it('that keeps something beside its layout does not resume', () => {
    const model = signalWith(() => {}).signals[0] as unknown as SignalModel<{ kind: 'own' }>;
    const hidden = {
      ...model,
      derive(...given: Parameters<typeof model.derive>) {
        const instance = model.derive(...given);
        return {
          ...instance,
          bind(binding: Parameters<typeof instance.bind>[0]) {
            const bound = instance.bind(binding);
            let before = 0;
            return {
              ...bound,
              step(...given: Parameters<typeof bound.step>) {
                bound.step(...given);
                binding.signal.data[rowAt(binding.signal, 0, given[0])] += before;
                before += 1;
              },
            };
          },
        };
      },
    };
    expect(failed(checkEntry('signals', 'own', withParts({ signals: [hidden] })))).toContain('resumes to the bit');
  });

  it('whose trace grows twice where time goes on and once where it goes back is told', () => {
    const model = wrapped(ours<TraceModel>(models.traces, 'eligibility'), (instance) => {
      const { bind, ...rest } = instance as {
        bind(b: never): { step?(...given: unknown[]): void; [name: string]: unknown };
      };
      return {
        ...rest,
        bind(binding: never) {
          const bound = bind(binding);
          const twice = (...given: unknown[]) => {
            bound.step?.(...given);
            bound.step?.(...given);
          };
          return { ...bound, ...(bound.step && { step: twice }) };
        },
      };
    });
    const rows = checkEntry('traces', 'own', withParts({ traces: [model] }));
    expect(failed(rows)).toContain('online is deferred');
  });

  it('that goes on from where the last trial ended is told', () => {
    const model = wrapped(ours<ReadoutModel>(models.readouts, 'leaky'), (instance) => {
      const { bind, ...rest } = instance as {
        bind(b: ReadoutBinding): { step(t: number, from: number, to: number): void };
      };
      return {
        ...rest,
        bind(binding: ReadoutBinding) {
          const bound = bind(binding);
          let before = 0;
          return {
            ...bound,
            step(...given: Parameters<typeof bound.step>) {
              bound.step(...given);
              const at = rowAt(binding.y, 0, given[0]);
              binding.y.data[at] += 0.1 * before;
              before = binding.y.data[at];
            },
          };
        },
      };
    });
    expect(failed(checkEntry('readouts', 'own', withParts({ readouts: [model] })))).toContain('begins a trial anew');
  });

  it('that is the derivative of the loss where it says so holds, and one that is not fails', () => {
    const eprop = models.rules.find(({ name }) => name === 'e-prop-1');
    const claiming = (recurrent: boolean, feedback: string) =>
      wrappedRule(eprop as never, { params: { feedback }, recurrent });
    const ofGradient = (rules: unknown) => {
      const rows = checkEntry('rules', 'own', withParts({ rules: [rules] }));
      return rows.find(({ check }) => check === 'gradient is the slope of the loss');
    };
    expect(ofGradient(claiming(false, 'symmetric'))).toMatchObject({ outcome: 'holds' });
    expect(ofGradient(claiming(false, 'random'))?.detail).toMatch(/^in\[0\] is .*, the slope of the loss /);
    expect(ofGradient(claiming(true, 'symmetric'))).toMatchObject({ outcome: 'fails' });
  });

  it('whose psi is no slope of its activity fails', () => {
    const model = wrapped(ours<NeuronModel>(models.neurons, 'rate'), (instance) => {
      const { bind, ...rest } = instance as { bind(b: NeuronBinding): (b: number, t: number) => void };
      return {
        ...rest,
        bind(binding: NeuronBinding) {
          const step = bind(binding);
          return (b: number, t: number) => {
            step(b, t);
            binding.psi.data[rowAt(binding.psi, b, t)] *= 1.001;
          };
        },
      };
    });
    const rows = checkEntry('neurons', 'own', withParts({ neurons: [model] }));
    expect(failed(rows)).toEqual(['is built']);
    expect(rows[0].detail).toMatch(/is not what it declares as its eligibility: .* its rate has moved/);
  });

  it('whose making ends in an error of the language fails, and is checked no further', () => {
    const model = wrapped(ours<TraceModel>(models.traces, 'eligibility'), () => {
      throw new TypeError('x is undefined');
    });
    const rows = checkEntry('traces', 'own', withParts({ traces: [model] }));
    expect(failed(rows)).toEqual(['is built']);
    expect(rows[0].detail).toBe('x is undefined');
    expect(rows.slice(1).every(({ outcome }) => outcome === 'skipped')).toBe(true);
  });

  it('that cannot be built says why, and nothing else', () => {
    const rule: Rule<{ name: 'own' }> = {
      name: 'own',
      source: 'own',
      summary: 'none',
      params: z.strictObject({ name: z.literal('own') }),
      parts: () => ({ trace: { kind: 'eligibility' }, signal: { kind: 'nowhere' } }),
    };
    const [built, ...others] = checkEntry('rules', 'own', withParts({ rules: [rule] }));
    expect(built.outcome).toBe('fails');
    expect(built.detail).toMatch(/"nowhere"/);
    expect(new Set(others.map(({ outcome }) => outcome))).toEqual(new Set(['skipped']));
  });
});
