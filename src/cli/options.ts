import { InvalidArgumentError } from 'commander';
import { defaultThreads } from './pool.ts';

/** Values of an option that is repeated. */
export const many = (value: string, before: readonly string[] = []) => [...before, value];

/** A whole number in [low, high]. */
export function whole(low: number, high = Number.MAX_SAFE_INTEGER) {
  return (text: string) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < low || value > high || text.trim() === '') {
      throw new InvalidArgumentError(
        `Expected a whole number >= ${low}${high < Number.MAX_SAFE_INTEGER || value > high ? ` and <= ${high}` : ''}.`,
      );
    }
    return value;
  };
}

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number > 0.');
  return value;
}

/** Options that several commands have. */
export const threads = ['--threads <n>', 'runs at a time', whole(1, 1024), defaultThreads()] as const;
export const backend = [
  '--backend <name>',
  'auto (the fastest that has every kernel of the run), wasm or reference',
] as const;
export const set = ['--set <path=value>', 'change a setting, for example training.total=64000 (repeat)', many] as const;
export const plugin = [
  '--plugin <file>',
  'a .ts or .js file whose default export adds rules, neurons, tasks, ... of your own; it is run (repeat)',
  many,
] as const;
export const live = [
  '--live',
  'print the address of a page of this machine that shows the runs while they train',
] as const;
export const json = ['--json', 'machine-readable output, one JSON object a line'] as const;

/** What a command's help ends with. */
export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}
