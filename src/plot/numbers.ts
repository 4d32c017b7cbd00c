interface Unit {
  readonly divisor: number;
  readonly suffix: string;
}

const ONE: Unit = { divisor: 1, suffix: '' };

/** Labels of the ticks of one axis: one unit (k, M or a power of ten) and one number of decimals for all of them. */
export function tickLabels(values: readonly number[]): string[] {
  const unit = unitOf(values.reduce((max, value) => Math.max(max, Math.abs(value)), 0));
  const short = inUnit(values, unit);
  // A late window of a long run: 1000010 is shorter than 1.00001M.
  return decimalsOf(short) > 3 && 'kM'.includes(unit.suffix) ? format(inUnit(values, ONE), ONE) : format(short, unit);
}

/**
 * Round values in [min, max], at steps of 1, 2 or 5 times a power of ten: as many as fit in `most`, two at least where
 * the range has two. Chart.js counts the ends of the range, and so leaves a low panel with a single label.
 */
export function niceTicks(min: number, max: number, most: number, integer = false): number[] {
  let ticks: number[] = [];
  for (const step of stepsBelow(integer ? Math.max(1, max - min) : max - min)) {
    if (integer && step < 1) break;
    const finer = multiples(min, max, step);
    if (finer.length > most && ticks.length >= 2) break;
    ticks = finer;
    if (finer.length > most) break;
  }
  return ticks;
}

/** Powers of ten in [min, max] for at least three decades of them; with 2 and 5 times them, or all multiples, for fewer. */
export function logTicks(min: number, max: number, most: number): number[] {
  const decades = Math.log10(max / min);
  const mantissas = decades >= 3 ? [1] : decades >= 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const every = Math.max(1, Math.ceil(decades / most));
  const ticks: number[] = [];
  for (let e = Math.floor(Math.log10(min)); e <= Math.log10(max); e++) {
    if (e % every === 0) ticks.push(...mantissas.map((mantissa) => Number((mantissa * 10 ** e).toPrecision(6))));
  }
  return ticks.filter((value) => value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9));
}

function stepsBelow(span: number): number[] {
  const exponent = Math.floor(Math.log10(span));
  const steps: number[] = [];
  for (let e = exponent; e > exponent - 3; e--) steps.push(5 * 10 ** e, 2 * 10 ** e, 10 ** e);
  return steps;
}

function multiples(min: number, max: number, step: number): number[] {
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => Number(((first + n) * step).toPrecision(12)));
}

function inUnit(values: readonly number[], { divisor }: Unit): number[] {
  return values.map((value) => Number((value / divisor).toPrecision(12)));
}

function format(scaled: readonly number[], { suffix }: Unit): string[] {
  const decimals = decimalsOf(scaled);
  return scaled.map((value) => (value === 0 ? '0' : withMinus(value.toFixed(decimals)) + suffix));
}

function unitOf(max: number): Unit {
  if (max >= 1e9) return powerOf(max);
  if (max >= 1e6) return { divisor: 1e6, suffix: 'M' };
  if (max >= 1e4) return { divisor: 1e3, suffix: 'k' };
  if (max >= 1e-3 || max === 0) return ONE;
  return powerOf(max);
}

function powerOf(max: number): Unit {
  const exponent = Math.floor(Math.log10(max));
  return { divisor: 10 ** exponent, suffix: `e${withMinus(String(exponent))}` };
}

/** Decimals that the longest of these needs. */
function decimalsOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, String(value).split('.')[1]?.length ?? 0), 0);
}

function withMinus(text: string): string {
  return text.replace('-', '\u2212');
}
