import { describe, expect, it } from 'vitest';
import { createReckon, parseReckon, registerNames, registers } from '../../hardware/index.ts';
import { wordTape } from '../../hardware/reckon/generators.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { chipOf, chipOfCase, golden, runCase, still, tick } from './network.ts';

describe('configuration', () => {
  it('has every register once, with the reset values of the chip', () => {
    expect(registerNames).toHaveLength(63);
    expect(new Set(registerNames.map((name) => registers[name].address)).size).toBe(63);
    expect(parseReckon(still)).toMatchObject({ SPI_EN_CONF: 1, SPI_SEND_LABEL_ONLY: 1, SPI_CYCLES_PER_TICK: 0 });
  });

  it.each<[string, object, RegExp]>([
    [
      'beyond its bits',
      { SPI_FP_LOC_WINP: 8 },
      /^SPI_FP_LOC_WINP: got 8, expected a whole number from 0 to 7 \(3 bit\)$/,
    ],
    ['a signed one beyond its bits', { SPI_H_2: -17 }, /^SPI_H_2: got -17, expected a whole number from -16 to 15/],
    ['a fraction', { SPI_KAPPA: 0.9 }, /^SPI_KAPPA: got 0\.9, expected a whole number/],
    ['missing', { SPI_LR_P_WINP: undefined }, /^SPI_LR_P_WINP: got undefined, expected a whole number/],
    ['unknown', { SPI_GAMMA: 1 }, /^SPI_GAMMA: got 1, expected no such register$/],
    ['a decay outside of what the chip stores', { ALPHA: [0x7000, 0x6fff] }, /^ALPHA\.1: got 28671, expected/],
    ['no threshold', { THR: [] }, /^THR: got \[\], expected 1 to 128 whole numbers/],
    ['an odd number of neurons', { SPI_NUM_REC_NEUR: 2 }, /^SPI_NUM_REC_NEUR: got 2, expected an odd value/],
    ['an odd number of inputs', { SPI_NUM_INP_NEUR: 4 }, /^SPI_NUM_INP_NEUR: got 4, expected an even number/],
    ['a generator at zero', { SPI_SEED_REC: 0 }, /^SPI_SEED_REC: got 0, expected no zero/],
    ['half a pair at zero', { SPI_SEED_STRND_TOUT: 5 }, /^SPI_SEED_STRND_TOUT: got 5, expected no zero/],
  ])('refuses a register that is %s', (_, settings, message) => {
    expect(() => parseReckon({ ...still, ...settings })).toThrow(ConfigError);
    expect(() => parseReckon({ ...still, ...settings })).toThrow(message);
  });

  it('refuses weights that do not fit', () => {
    const weights = { inp: new Int8Array(16), rec: new Int8Array(16), out: new Int8Array(8) };
    expect(() => createReckon(still, { ...weights, out: [1] })).toThrow(
      /weights\.out\.length: got 1, expected 8: 4 rows of 2/,
    );
    expect(() => createReckon(still, { ...weights, inp: Array(16).fill(128) })).toThrow(/weights\.inp\[0\]: got 128/);
  });
});

describe('a sample', () => {
  it('propagates only at tick 0, steps at the others, and ends cleared', () => {
    const chip = chipOf({ THR: [10], SPI_FORCE_TRACES: 1 }, { inp: 20, out: 1 });
    tick(chip, { events: [1, 1, 9] });
    expect([...chip.state.u.subarray(0, 5)]).toEqual([20, 20, 20, 20, 0]);
    expect([...chip.state.z.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    tick(chip);
    expect([...chip.state.z.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
    expect([...chip.state.u.subarray(0, 4)]).toEqual([10, 10, 10, 10]);
    expect([...chip.state.y.subarray(0, 2)]).toEqual([4, 4]);
    expect([chip.state.tInp[1], chip.state.tRec[1], chip.state.tOut[1]]).toEqual([8, 8, 2]);
    tick(chip, { last: true });
    for (const name of ['u', 'z', 'tInp', 'tRec', 'tOut', 'y'] as const) {
      expect(chip.state[name].every((value) => value === 0)).toBe(true);
    }
  });

  it('gives a tie of outputs or votes to the lowest index', () => {
    const chip = chipOf({}, { out: 1 });
    tick(chip);
    tick(chip, { vote: true });
    chip.state.y[1] = 1;
    tick(chip, { vote: true, last: true });
    expect([...chip.votes.subarray(0, 2)]).toEqual([1, 1]);
    const flat = { ticks: 3, eventStart: new Int32Array(4), eventInput: new Uint8Array(0), label: 0 };
    expect(chip.runSample({ ...flat, valid: [0, 0], vote: [0, 3] })).toBe(0);
  });

  it('votes for output 0 in regression', () => {
    const chip = chipOf({ SPI_REGRESSION: 1 });
    tick(chip);
    chip.state.y[1] = 100;
    tick(chip, { vote: true, last: true });
    expect([...chip.votes.subarray(0, 2)]).toEqual([1, 0]);
  });

  it('is the same as the ticks one by one', () => {
    const [whole, single] = [chipOfCase(0), chipOfCase(0)];
    const { T, events } = golden.cases[0].samples[0];
    const lists = Array.from({ length: T }, (_, k) => events[k] ?? []);
    const eventStart = Int32Array.from({ length: T + 1 }, (_, k) => lists.slice(0, k).flat().length);
    const eventInput = Uint8Array.from(lists.flat());
    whole.runSample({ ticks: T, eventStart, eventInput, label: 0, valid: [20, 40], vote: [20, 40] });
    for (const [k, list] of lists.entries())
      tick(single, { events: list, valid: k >= 20, vote: k >= 20, last: k === T - 1 });
    expect(whole.votes).toEqual(single.votes);
    expect(Math.max(...whole.votes)).toBe(20);
  });
});

describe('determinism', () => {
  it.each([{ kind: 'exact' } as const, { kind: 'independent', seed: 5 } as const])(
    'of $kind randomness, and after reset',
    (randomness) => {
      const [a, b] = [chipOfCase(1, { randomness }), chipOfCase(1, { randomness })];
      const spikes = runCase(a, 1);
      const weights = a.weights();
      expect(runCase(b, 1)).toEqual(spikes);
      expect(b.weights()).toEqual(weights);
      a.setLearning(0);
      a.reset();
      expect(a.config.SPI_DO_EPROP).toBe(7);
      expect(runCase(a, 1)).toEqual(spikes);
      expect(a.weights()).toEqual(weights);
    },
  );

  it('but not between kinds of randomness or seeds', () => {
    const weights = [{ kind: 'exact' }, { kind: 'independent', seed: 5 }, { kind: 'independent', seed: 6 }].map(
      (randomness) => {
        const chip = chipOfCase(1, { randomness: randomness as { kind: 'independent'; seed: number } });
        runCase(chip, 1);
        return chip.weights().rec.join();
      },
    );
    expect(new Set(weights).size).toBe(3);
  });
});

/** What an independent integer model counted over the cases of the dump. */
it.each([
  [0, { synapticOperations: 8624, traceSaturations: 14, updatesTried: 0, membraneSaturations: 0 }],
  [
    1,
    {
      synapticOperations: 7952,
      traceSaturations: 27,
      updatesTried: 21012,
      updatesFired: 9049,
      clampedProbabilities: 2976,
    },
  ],
  [
    2,
    { synapticOperations: 6714, membraneSaturations: 116, updatesTried: 31479, updatesFired: 1692, guardInversions: 0 },
  ],
])('counters of case %i', (index, counts) => {
  const chip = chipOfCase(index);
  runCase(chip, index);
  expect(chip.counters).toMatchObject(counts);
  chip.clearCounters();
  expect(Object.values(chip.counters).every((count) => count === 0)).toBe(true);
});

describe('saturation and wrap', () => {
  it('holds a membrane at both ends of s16, and counts it', () => {
    const chip = chipOf({ SPI_FP_LOC_WINP: 7 }, { inp: 127 });
    tick(chip);
    chip.state.u.set([32760, -5, 32766, 0]);
    tick(chip, { events: [0] });
    expect([...chip.state.u.subarray(0, 4)]).toEqual([32767, 16251, 32767, 16256]);
    const down = chipOf({ SPI_FP_LOC_WINP: 7 }, { inp: -128 });
    tick(down);
    down.state.u.set([-32760, 5, -32768, 0]);
    tick(down, { events: [0] });
    expect([...down.state.u.subarray(0, 4)]).toEqual([-32768, -16379, -32768, -16384]);
    expect([chip.counters.membraneSaturations, down.counters.membraneSaturations]).toEqual([2, 2]);
  });

  it('lets noise alone carry a membrane around, since the guard asks the sign of the weight', () => {
    const chip = chipOf({ SPI_NOISE_EN: 1 });
    const words = wordTape(still.SPI_SEED_NOISE_NEUR ?? 0, 17, 3).values;
    const noise = [(words[0] << 16) >> 16, words[0] >> 16, (words[1] << 16) >> 16, words[1] >> 16];
    chip.state.u.fill(-32768, 0, 4);
    tick(chip, { events: [0] });
    const wrapped = noise.map((value) => ((-32768 + value) << 16) >> 16);
    expect(wrapped.some((value) => value > 0)).toBe(true);
    expect([...chip.state.u.subarray(0, 4)]).toEqual(wrapped);
  });

  it('gives no noise without an event', () => {
    const chip = chipOf({ SPI_NOISE_EN: 1 });
    const before = chip.generatorWords();
    tick(chip);
    tick(chip);
    expect(chip.state.u.every((u) => u === 0)).toBe(true);
    expect(chip.generatorWords()).toEqual(before);
  });

  it('wraps a membrane at a reset below a negative threshold', () => {
    const chip = chipOf({ THR: [-32768] });
    tick(chip);
    tick(chip);
    expect([...chip.state.u.subarray(0, 4)]).toEqual([-32768, -32768, -32768, -32768]);
  });

  it('wraps a membrane that grows with a decay above 1', () => {
    const chip = chipOf({ ALPHA: [0x8fff] });
    tick(chip);
    chip.state.u.set([32000, -32768, 8, 0]);
    tick(chip);
    expect([...chip.state.u.subarray(0, 4)]).toEqual([35999 - 65536, -36863 + 65536, 8, 0]);
  });

  it('cuts a trace to its bits with a decay above 1', () => {
    const chip = chipOf({ ALPHA: [0x8fff] });
    tick(chip);
    chip.state.tRec.set([4095, 8]);
    tick(chip);
    expect([...chip.state.tRec.subarray(0, 2)]).toEqual([4606 - 4096, 8]);
  });

  it('resets after the leak, by subtraction or to zero', () => {
    for (const [mode, want] of [
      [0, 437 - 500],
      [1, 0],
    ]) {
      const chip = chipOf({ ALPHA: [0x7000], THR: [500], SPI_RST_MODE: mode });
      tick(chip);
      chip.state.u[0] = 500;
      chip.state.u[1] = 499;
      tick(chip);
      expect([...chip.state.z.subarray(0, 2)]).toEqual([1, 0]);
      expect([...chip.state.u.subarray(0, 2)]).toEqual([want, 436]);
    }
  });

  it('floors towards minus infinity without rounding: small values die, negative ones stay at -1', () => {
    const chip = chipOf({ ALPHA: [0x7fef] });
    tick(chip);
    chip.state.u.set([1, -1, 0, -3]);
    tick(chip);
    expect([...chip.state.u.subarray(0, 4)]).toEqual([0, -1, 0, -3]);
  });

  it('never rounds a floored zero up', () => {
    const chip = chipOf({ ALPHA: [0x7fff], SPI_EN_STOCH_ROUND: 1, SPI_FORCE_TRACES: 1 });
    tick(chip);
    for (let k = 0; k < 500; k++) {
      chip.state.u.fill(1, 0, 4);
      chip.state.tInp.fill(1, 0, 4);
      tick(chip);
      expect(chip.state.u.subarray(0, 4).join() + chip.state.tInp.subarray(0, 4).join()).toBe('0,0,0,00,0,0,0');
    }
  });

  it('saturates traces at 12 and 10 bits and outputs at s16', () => {
    const chip = chipOf(
      { THR: [0], SPI_FORCE_TRACES: 1, SPI_FP_LOC_TINP: 7, SPI_FP_LOC_TREC: 7, SPI_FP_LOC_TOUT: 7, SPI_FP_LOC_WOUT: 7 },
      { out: 127 },
    );
    for (let k = 0; k < 6; k++) tick(chip, { events: [0] });
    expect([chip.state.tInp[0], chip.state.tRec[0], chip.state.tOut[0], chip.state.y[0]]).toEqual([
      4095, 4095, 1023, 32767,
    ]);
    expect(chip.counters.traceSaturations).toBeGreaterThan(0);
    expect(chip.counters.readoutSaturations).toBeGreaterThan(0);
  });

  it('wraps outputs that grow with a kappa above 1', () => {
    const chip = chipOf({ SPI_KAPPA: 255 });
    tick(chip);
    chip.state.y.set([20000, -3]);
    tick(chip);
    expect([...chip.state.y.subarray(0, 2)]).toEqual([39843 - 65536, -6]);
  });
});

describe('draws', () => {
  const rounding = { SPI_EN_STOCH_ROUND: 1, ALPHA: [0x7fef], SPI_KAPPA: 0x79 };
  const moved = (settings: object, run = (chip: ReturnType<typeof chipOf>) => tick(chip)) => {
    const chip = chipOf({ ...rounding, ...settings });
    tick(chip);
    const before = chip.generatorWords();
    run(chip);
    const after = chip.generatorWords();
    return Object.keys(before).filter((name) => String(before[name as 'neur']) !== String(after[name as 'neur']));
  };

  it('of a step: all rounding generators, none of the others', () => {
    expect(moved({})).toEqual(['oneur', 'neur', 'tinp', 'trec', 'tout']);
    expect(moved({ SPI_EN_STOCH_ROUND: 0 })).toEqual([]);
  });

  it('leave out membranes of decay 1 and outputs of kappa 1, but not their traces', () => {
    expect(moved({ ALPHA: [0x8000] })).toEqual(['oneur', 'tinp', 'trec', 'tout']);
    expect(moved({ SPI_KAPPA: 0x80 })).toEqual(['neur', 'tinp', 'trec', 'tout']);
  });

  it('of learning: only rows with a trace', () => {
    const learning = { ...quiet, SPI_DO_EPROP: 7 };
    const learn = (set: (state: ReturnType<typeof chipOf>['state']) => void) => (chip: ReturnType<typeof chipOf>) => {
      set(chip.state);
      tick(chip, { valid: true });
    };
    expect(
      moved(
        learning,
        learn(() => {}),
      ),
    ).toEqual([]);
    expect(
      moved(
        learning,
        learn(({ tInp }) => tInp.fill(8, 3, 4)),
      ),
    ).toEqual(['winp']);
    expect(
      moved(
        learning,
        learn(({ tRec }) => tRec.fill(8, 0, 1)),
      ),
    ).toEqual(['wrec']);
    expect(
      moved(
        learning,
        learn(({ tOut }) => tOut.fill(8, 0, 1)),
      ),
    ).toEqual(['wout']);
    const shifted = { ...learning, SPI_FP_LOC_TINP: 4 };
    expect(
      moved(
        shifted,
        learn(({ tInp }) => tInp.fill(15, 3, 4)),
      ),
    ).toEqual([]);
  });
});

/** No rounding and no leak; every drive fires. */
const quiet = { SPI_EN_STOCH_ROUND: 0, ALPHA: [0x8000], SPI_KAPPA: 0x80 };
const eager = {
  ...quiet,
  SPI_REGRESSION: 1,
  SPI_NO_OUT_ACT: 1,
  SPI_LEARN_SIG_SCALE: 15,
  SPI_H_4: 1,
  ...Object.fromEntries([0, 1, 2, 3].map((n) => [`SPI_THR_H_${n}`, -32768])),
  SPI_LR_P_WINP: 31,
  SPI_LR_P_WREC: 31,
  SPI_LR_P_WOUT: 31,
};

/** One learning tick with an error of +-32767 at both outputs and traces as given. */
function learnOnce(settings: object, { wanted = 32767, trace = 4095, weight = 100, feedback = 127 } = {}) {
  const chip = chipOf({ ...eager, ...settings }, { inp: weight, rec: weight, out: feedback });
  tick(chip);
  chip.setTargets([wanted, wanted]);
  chip.state.y.fill(0);
  chip.state.tInp.fill(trace, 0, 4);
  chip.state.tRec.fill(trace, 0, 4);
  chip.state.tOut.fill(trace >> 2, 0, 4);
  tick(chip, { valid: true });
  return chip;
}

describe('learning', () => {
  it('moves each set that may learn by one towards the sign of its drive', () => {
    const sets = (bits: number) => {
      const { inp, rec, out } = learnOnce({ SPI_DO_EPROP: bits }, { wanted: -32767, feedback: 50 }).weights();
      return [inp[1], rec[1], out[1]];
    };
    expect(sets(0)).toEqual([100, 100, 50]);
    expect(sets(1)).toEqual([99, 100, 50]);
    expect(sets(2)).toEqual([100, 99, 50]);
    expect(sets(4)).toEqual([100, 100, 49]);
    expect(sets(7)).toEqual([99, 99, 49]);
  });

  it('pins a self-connection to 0 when its update fires, and only that', () => {
    const { rec } = learnOnce({ SPI_DO_EPROP: 2 }, { feedback: 50 }).weights();
    expect([...rec].map((w, s) => (s % 5 === 0 ? w : w - 101))).toEqual([...rec].map(() => 0));
  });

  it('stops at the ends of s8', () => {
    const up = learnOnce({ SPI_DO_EPROP: 5 }, { weight: 127, feedback: 127 });
    const down = learnOnce({ SPI_DO_EPROP: 5 }, { weight: -128, wanted: -32767, feedback: 127 });
    expect([...up.weights().inp, ...up.weights().out].every((w) => w === 127)).toBe(true);
    expect([...down.weights().inp].every((w) => w === -128)).toBe(true);
    expect(up.counters.updatesLost).toBe(24);
    expect(down.counters.updatesLost).toBe(16);
  });

  it('saturates the learning signal and the error', () => {
    const chip = learnOnce({ SPI_DO_EPROP: 1 });
    expect(chip.state.signal[0]).toBe(32767);
    expect(chip.counters.signalSaturations).toBe(4);
    chip.state.y.fill(-32768);
    tick(chip, { valid: true });
    expect(chip.state.error[0]).toBe(32767);
  });

  it('inverts a positive drive of 2^27 or more: the guard sees bit 31 of a 37-bit product', () => {
    const below = learnOnce({ SPI_DO_EPROP: 1, SPI_H_4: 1 });
    const above = learnOnce({ SPI_DO_EPROP: 1, SPI_H_4: 2 });
    expect(32767 * 4095).toBeLessThan(2 ** 27);
    expect(below.weights().inp[0]).toBe(101);
    expect(above.weights().inp[0]).toBe(99);
    expect([below.counters.guardInversions, above.counters.guardInversions]).toEqual([0, 16]);
  });

  it('clamps a probability before the right shift', () => {
    const chip = learnOnce({ SPI_DO_EPROP: 1, SPI_LR_R_WINP: 31 });
    expect(chip.counters).toMatchObject({ clampedProbabilities: 16, updatesFired: 0 });
  });

  it('uses the hard sigmoid for a class, and no error without a target', () => {
    const chip = chipOf({ ...quiet, SPI_DO_EPROP: 1 });
    tick(chip);
    chip.setLabel(1);
    for (const [y, error] of [
      [0, [-1024, 1024]],
      [2048, [-2048, 0]],
      [-2049, [0, 2048]],
      [101, [-1074, 974]],
    ] as const) {
      chip.state.y.fill(y);
      tick(chip, { valid: true });
      expect([...chip.state.error.subarray(0, 2)]).toEqual(error);
    }
  });

  it('fires where the scaled drive equals the random number, and not one below', () => {
    for (const [above, want] of [
      [0, 1],
      [1, 0],
    ]) {
      const chip = chipOf({ ...eager, SPI_DO_EPROP: 1, SPI_LR_P_WINP: 0 }, { out: 127 });
      tick(chip);
      chip.setTargets([32767, 32767]);
      chip.state.tInp[0] = 3;
      chip.generators.wInp.values.fill(3 * 32767 + above);
      tick(chip, { valid: true });
      expect(chip.weights().inp[0]).toBe(want);
    }
  });

  it('reaches 127', () => {
    expect(learnOnce({ SPI_DO_EPROP: 1 }, { weight: 126 }).weights().inp[0]).toBe(127);
  });

  it('shrinks positive drives of both sets if either is regularised', () => {
    const gains = [0, 1, 2].map((sets) => {
      const settings = { SPI_DO_EPROP: 3, SPI_REGUL_MODE: 1, SPI_REGUL_W: sets, SPI_REGUL_F0: 0, SPI_REGUL_K_MUL: 0 };
      const { inp, rec } = learnOnce(settings, { feedback: 50 }).weights();
      return [inp[1] - 100, rec[1] - 100];
    });
    expect(gains).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
  });

  it('lets unused lanes of the last group repeat its last pair', () => {
    const settings = { SPI_NUM_REC_NEUR: 17, SPI_DO_EPROP: 1, SPI_REGUL_MODE: 2, SPI_REGUL_W: 1, SPI_REGUL_F0: 0 };
    const chip = chipOf({ ...eager, ...settings });
    tick(chip);
    chip.state.tRec[0] = 50;
    chip.state.tRec[17] = 7;
    tick(chip, { valid: true });
    const wanted = Array.from({ length: 16 }, (_, n) => (n % 2 === 1 ? 7 : 0));
    expect([...chip.state.excess.subarray(16, 32)]).toEqual(wanted);
  });

  it('regularises from what was written where an event came before the first step', () => {
    const settings = { SPI_DO_EPROP: 1, SPI_REGUL_MODE: 6, SPI_REGUL_W: 1, SPI_REGUL_F0: 0 };
    const [untouched, touched] = [[], [0]].map((events) => {
      const chip = chipOf({ ...eager, ...settings });
      chip.state.left.set([0, 0, 9, 0, 0, 0, 9, 0]);
      tick(chip, { events });
      tick(chip);
      return chip.state.excess[0];
    });
    expect([untouched, touched]).toEqual([9, 0]);
  });

  it('regularises at ticks without target from the word of the last pair as it was before the step', () => {
    const chip = chipOf({
      ...eager,
      SPI_DO_EPROP: 1,
      SPI_REGUL_MODE: 6,
      SPI_REGUL_W: 1,
      SPI_REGUL_F0: 10,
      SPI_REGUL_K_INP_P: 20,
    });
    tick(chip);
    tick(chip);
    chip.state.tRec.set([500, 600, 30, 5]);
    chip.state.tInp.set([0, 0, 7, 7]);
    tick(chip);
    expect(chip.counters.staleTicks).toBe(2);
    expect([...chip.state.excess.subarray(0, 4)]).toEqual([20, 0, 20, 0]);
    expect([...chip.state.error.subarray(0, 2)]).toEqual([0, 0]);
    expect([...chip.weights().inp]).toEqual(Array.from({ length: 16 }, (_, s) => (s % 2 === 0 ? -1 : 0)));
    // In the next sample the pair is still unwritten at the first step, and memory holds what the last one left.
    tick(chip, { last: true });
    tick(chip);
    tick(chip);
    expect([...chip.state.excess.subarray(0, 4)]).toEqual([20, 0, 20, 0]);
    tick(chip);
    expect([...chip.state.excess.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  });
});

describe.each([{ kind: 'exact' } as const, { kind: 'independent', seed: 11 } as const])(
  'probabilities with $kind randomness',
  (randomness) => {
    /** Within five standard deviations of a binomial. */
    const expectShare = (ups: number, of: number, probability: number) =>
      expect(Math.abs(ups / of - probability)).toBeLessThan(5 * Math.sqrt((probability * (1 - probability)) / of));

    it('of rounding a membrane up is its fraction', () => {
      const chip = chipOf({ ALPHA: [0x7fef], SPI_EN_STOCH_ROUND: 1, SPI_KAPPA: 0x79 }, {}, { randomness });
      tick(chip);
      const product = 1300 * 0x7fef;
      const [floor, fraction] = [product >> 15, (product & 0x7fff) / 32767];
      let ups = 0;
      for (let k = 0; k < 5000; k++) {
        chip.state.u.fill(1300, 0, 4);
        tick(chip);
        for (let j = 0; j < 4; j++) ups += chip.state.u[j] - floor;
      }
      expectShare(ups, 20_000, fraction);
    });

    it('of rounding an output trace up is its fraction of 128, plus one', () => {
      const chip = chipOf({ ALPHA: [0x7fef], SPI_EN_STOCH_ROUND: 1, SPI_KAPPA: 0x79 }, {}, { randomness });
      tick(chip);
      const product = 1003 * 0x79;
      let ups = 0;
      for (let k = 0; k < 5000; k++) {
        chip.state.tOut.fill(1003, 0, 4);
        tick(chip);
        for (let j = 0; j < 4; j++) ups += chip.state.tOut[j] - (product >> 7);
      }
      expectShare(ups, 20_000, ((product & 0x7f) + 1) / 128);
    });

    it('of an update is its drive over 2^32, in every lane', () => {
      const size = { SPI_NUM_REC_NEUR: 15, SPI_NUM_INP_NEUR: 15, SPI_DO_EPROP: 1, SPI_LR_P_WINP: 6 };
      const chip = chipOf({ ...eager, ...size }, { out: 127 }, { randomness });
      tick(chip);
      chip.setTargets([32767, 32767]);
      const drive = 32767 * 300;
      const trials = 400;
      let ups = 0;
      for (let k = 0; k < trials; k++) {
        chip.state.wInp.fill(0);
        chip.state.tInp.fill(300, 0, 16);
        tick(chip, { valid: true });
        for (const w of chip.weights().inp) ups += w;
      }
      expect(drive).toBeLessThan(2 ** 26);
      expectShare(ups, trials * 256, (drive * 64) / 2 ** 32);
    });
  },
);
