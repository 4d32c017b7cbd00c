/** What may stand in the way of learning. */
export type Cause =
  | 'no-information'
  | 'silent'
  | 'saturated'
  | 'psi-narrow'
  | 'signal-vanishes'
  | 'rate-term'
  | 'updates-large'
  | 'readout-dominates'
  | 'signal-opposed'
  | 'updates-lost'
  | 'updates-small'
  | 'noisy-drive';

/** A number that tells a cause, and on which side of its threshold the cause is there. */
export interface Criterion {
  readonly cause: Cause;
  readonly quantity: Quantity;
  readonly side: 'below' | 'above';
  /** From the experiment that `docs/troubleshooting.md` names beside it. */
  readonly threshold: number;
  /**
   * When it counts. `ever`: where it was so at the start too, though the network that it has made does not show it any more (no update is
   * large where all neurons are saturated). `now`: where it is so now. `throughout`: where it is so now and was at the start, if that was
   * looked at (updates of a network that has learned are small).
   */
  readonly counts: 'ever' | 'now' | 'throughout';
  /** Causes beside which it says nothing where they are there now: its number is what it is by them. */
  readonly unless?: readonly Cause[];
}

/** What is measured, as it is said. */
export const quantities = {
  information: 'share of the targets that a probe of the inputs before predicts',
  growth: 'norm of the weights against that at the start',
  step: 'norm of an update against that of the weights',
  spikes: 'spikes per step',
  occupied: 'share of steps with a spike, or refractory after one',
  magnitude: 'mean |rate|',
  ends: 'share of rates at their ends',
  psi: 'share of steps of neurons with psi > 0',
  readoutStep: 'norm of an update of the readouts against that of their weights',
  rateShare: 'gradient of the firing-rate term against that of the loss',
  signalNorm: 'norm of the gradient against that of BPTT',
  opposition: 'minus the cosine of the gradient to that of BPTT',
  lost: 'share of changes of weights that rounding takes away',
  reach: 'what all updates of the training could move the weights by, against their norm',
  drift: 'what the whole training would move the weights by, as far as it has, against their norm',
  driveNoise: "noise of the neurons' input against its signal",
} as const;
export type Quantity = keyof typeof quantities;

/** Weights have not moved: at first every firing-rate term has rates to bring home. */
const still: readonly Cause[] = ['updates-lost', 'updates-small'];
/** What errors bring back through such a readout is not what a rule with feedback of its own could be held against. */
const loud: readonly Cause[] = ['readout-dominates'];

/** In the order in which they stand in the way: while an earlier one is there, mending a later one does not help. */
export const criteria: readonly Criterion[] = [
  { cause: 'no-information', quantity: 'information', side: 'below', threshold: 0.01, counts: 'ever' },
  { cause: 'silent', quantity: 'spikes', side: 'below', threshold: 1e-3, counts: 'now' },
  { cause: 'silent', quantity: 'magnitude', side: 'below', threshold: 1e-3, counts: 'now' },
  { cause: 'saturated', quantity: 'spikes', side: 'above', threshold: 0.4, counts: 'now' },
  { cause: 'saturated', quantity: 'occupied', side: 'above', threshold: 0.9, counts: 'now' },
  { cause: 'saturated', quantity: 'ends', side: 'above', threshold: 0.5, counts: 'now' },
  { cause: 'psi-narrow', quantity: 'psi', side: 'below', threshold: 0.01, counts: 'now' },
  { cause: 'signal-vanishes', quantity: 'signalNorm', side: 'below', threshold: 0.02, counts: 'now', unless: loud },
  { cause: 'signal-opposed', quantity: 'opposition', side: 'above', threshold: 0.3, counts: 'now', unless: loud },
  { cause: 'rate-term', quantity: 'rateShare', side: 'above', threshold: 30, counts: 'ever' },
  { cause: 'rate-term', quantity: 'rateShare', side: 'above', threshold: 2, counts: 'now', unless: still },
  { cause: 'updates-large', quantity: 'step', side: 'above', threshold: 0.2, counts: 'ever' },
  { cause: 'updates-large', quantity: 'growth', side: 'above', threshold: 5, counts: 'now' },
  { cause: 'readout-dominates', quantity: 'readoutStep', side: 'above', threshold: 0.6, counts: 'now' },
  { cause: 'updates-lost', quantity: 'lost', side: 'above', threshold: 0.95, counts: 'ever' },
  { cause: 'updates-small', quantity: 'reach', side: 'below', threshold: 0.5, counts: 'throughout' },
  { cause: 'updates-small', quantity: 'drift', side: 'below', threshold: 0.01, counts: 'now' },
  // First weights may be as small as they like, so that this alone hides nothing.
  { cause: 'readout-dominates', quantity: 'readoutStep', side: 'above', threshold: 2, counts: 'ever' },
  { cause: 'noisy-drive', quantity: 'driveNoise', side: 'above', threshold: 0.1, counts: 'now' },
];

/** What to do about each. */
export const advice: Readonly<Record<Cause, string>> = {
  'no-information':
    'nothing can learn this: see whether targets belong to the inputs before them (a shift, a shuffle), and whether the lag is within reach',
  'updates-large':
    'lower optimizer.rates, by powers of ten until the norms of the weights stay; optimizer.clip bounds single updates',
  silent:
    'larger first weights (init.gain), a plastic bias or a lower threshold; a firing-rate term (rateTerm) that is on from the start',
  saturated:
    'smaller first weights or bias, a higher threshold; a firing-rate term (rateTerm.strength) with a lower target',
  'psi-narrow':
    'a wider pseudo-derivative (psiWidth, default vTh), or membranes nearer to the threshold (init.gain, bias)',
  'readout-dominates':
    'lower the rate of the readout (optimizer.rates.out) until its updates are as small against its weights as the others',
  'rate-term': 'lower rateTerm.strength, or bring rateTerm.targetHz to the rate that the network has',
  'signal-vanishes':
    'a larger rule.feedbackScale or loss.scale; with a window or a schedule, see that errors reach the neurons at all',
  'signal-opposed':
    'the signs of the feedback: L = sum_k B_jk error_k with error = dE/dy has the sign of the gradient; feedback "symmetric" as a test',
  'updates-lost':
    'rounding "stochastic", more bits or a smaller range, or larger and rarer updates (training.update.every)',
  'updates-small':
    'raise optimizer.rates, by powers of ten until the weights move; a schedule that ends early does the same',
  'noisy-drive':
    'more cells or steps for every input, higher rates, or first weights that agree within a group of cells, so that the noise of single cells averages out',
};

/** One number of a network, at the start of its training or now. */
export interface Measure {
  readonly quantity: Quantity;
  /** Population, projection, readout, or all of some. */
  readonly where: string;
  readonly when: 'start' | 'now';
  /** null: not measured. */
  readonly value: number | null;
  /** Why it was not measured. */
  readonly why?: string;
}

/** A cause that is there, with its number. */
export interface Finding {
  readonly cause: Cause;
  /** `blocks`: ten times beyond its threshold, or nothing there at all. `hinders`: beyond it. `note`: beyond it, and the network learns all the same. */
  readonly severity: 'blocks' | 'hinders' | 'note';
  readonly quantity: Quantity;
  /** Where it is worst, then the others. */
  readonly where: readonly string[];
  readonly value: number;
  readonly threshold: number;
  /** How far beyond its threshold, as a factor; what is within has less than 1. */
  readonly excess: number;
  /** Whether it was there before any training; null: it was not measured then. */
  readonly fromStart: boolean | null;
  readonly text: string;
  readonly advice: string;
}

/** Of what should be there and is 0. */
const mostExcess = 1e9;

/** A factor > 1 beyond the threshold. What is no number says nothing. */
export function excessOf({ side, threshold }: Criterion, value: number): number {
  if (Number.isNaN(value)) return 0;
  const excess = side === 'above' ? Math.max(0, value) / threshold : value > 0 ? threshold / value : mostExcess;
  return Math.min(mostExcess, excess);
}

/** A factor that blocks. */
const blocking = 10;

/**
 * The causes that are there, first those that stand in the way of everything else. A population that has come into a condition in the
 * course of the training was brought there by something, so that such a finding stands behind the others.
 */
export function findingsIn(measures: readonly Measure[], learns: boolean): Finding[] {
  const all = criteria.flatMap((criterion) => {
    const finding = findingOf(criterion, measures, learns);
    return finding ? [{ criterion, ...finding }] : [];
  });
  const there = new Set(all.flatMap(({ finding, isNow }) => (isNow ? [finding.cause] : [])));
  const found = all.flatMap(({ criterion, finding }) =>
    criterion.unless?.some((cause) => there.has(cause)) ? [] : [finding],
  );
  const first = found.filter(({ cause }, n) => found.findIndex((other) => other.cause === cause) === n);
  const behind = ({ fromStart }: Finding) => (fromStart === false ? 1 : 0);
  return first.sort((a, b) => behind(a) - behind(b));
}

/** What a criterion finds, and whether it is so now. */
function findingOf(
  criterion: Criterion,
  measures: readonly Measure[],
  learns: boolean,
): { readonly finding: Finding; readonly isNow: boolean } | null {
  const { cause, quantity, threshold, side, counts } = criterion;
  const own = measures.flatMap(({ value, ...measure }) =>
    measure.quantity === quantity && value !== null ? [{ ...measure, value, excess: excessOf(criterion, value) }] : [],
  );
  const before = own.filter(({ when }) => when === 'start');
  const wasSo = (where: string) => before.some((measure) => measure.excess > 1 && measure.where === where);
  const counted = own.filter(
    ({ excess, when, where: place }) =>
      excess > 1 &&
      (counts === 'ever' || when === 'now') &&
      (counts !== 'throughout' || before.length === 0 || wasSo(place)),
  );
  if (counted.length === 0) return null;
  const [{ value, excess, where }] = counted.sort((a, b) => b.excess - a.excess);
  const places = [...new Set(counted.map((measure) => measure.where))];
  const others = places.length > 1 ? ` and ${places.length - 1} more` : '';
  const finding: Finding = {
    cause,
    severity: learns ? 'note' : excess >= blocking ? 'blocks' : 'hinders',
    quantity,
    where: places,
    value,
    threshold,
    excess,
    fromStart: before.length > 0 ? wasSo(where) : null,
    text: `${cause}: ${quantities[quantity]} is ${inDigits(value)} for ${where}${others}, ${side} ${inDigits(threshold)}`,
    advice: advice[cause],
  };
  return { finding, isNow: counted.some(({ when }) => when === 'now') };
}

/** Three digits, however large. */
export function inDigits(value: number): string {
  const size = Math.abs(value);
  return value === 0 ? '0' : size >= 1e-3 && size < 1e4 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}
