import { expect, it } from 'vitest';
import { readSources } from './support/sources.ts';

/** Numbers of a run come from its seed and nothing else: no clock, no randomness and no environment outside src/cli. */
const forbidden: readonly RegExp[] = [
  /\bMath\s*\.\s*random\b/,
  /\bDate\s*\.\s*now\b/,
  /\bperformance\s*\.\s*now\b/,
  /\bnew\s+Date\b/,
  /\bhrtime\b/,
  /\bprocess\s*\.\s*env\b/,
  /\brandomUUID\b|\bgetRandomValues\b/,
];

function offences(files: ReadonlyMap<string, string>): string[] {
  return [...files]
    .filter(([path]) => !path.startsWith('src/cli/'))
    .flatMap(([path, text]) =>
      withoutComments(text)
        .split('\n')
        .flatMap((line, n) =>
          forbidden.some((pattern) => pattern.test(line)) ? [`${path}:${n + 1}: ${line.trim()}`] : [],
        ),
    );
}

/** Comments blanked out, lines kept. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '));
}

it('no clock and no unseeded randomness outside the command line', () => {
  expect(offences(readSources(['src', 'models', 'tasks', 'hardware']))).toEqual([]);
});

it.each(['const x = Math.random();', 'const t = Date.now();', 'performance.now()', 'new Date()', 'process.env.SEED'])(
  'finds a planted %s',
  (text) => {
    expect(offences(new Map([['src/engine/a.ts', `// fine\n${text}`]]))).toEqual([`src/engine/a.ts:2: ${text}`]);
    expect(offences(new Map([['src/cli/a.ts', text]]))).toEqual([]);
    expect(offences(new Map([['models/a.ts', `/* ${text} */`]]))).toEqual([]);
  },
);
