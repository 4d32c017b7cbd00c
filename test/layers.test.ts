import { posix } from 'node:path';
import { expect, it } from 'vitest';
import { readSources } from './support/sources.ts';

/** What each folder may import of ours, beside itself. Longest prefix first. */
const layers: readonly (readonly [folder: string, allowed: readonly string[]])[] = [
  ['src/cli/', ['src/', 'models/', 'tasks/', 'hardware/']],
  ['src/data/', ['src/core/']],
  ['src/experiment/', ['src/core/', 'src/config/', 'src/data/', 'src/engine/', 'src/backends/']],
  ['src/engine/', ['src/core/']],
  ['src/backends/', ['src/core/']],
  ['src/record/', ['src/core/', 'src/data/']],
  ['src/plot/', ['src/core/']],
  ['src/config/', ['src/core/']],
  ['src/study/', ['src/core/', 'src/config/']],
  ['src/nir/', ['src/core/', 'src/data/']],
  ['src/core/', []],
  ['src/index.ts', layersOf('core config data engine experiment backends optim record study')],
  ['src/browser.ts', ['src/index.ts', 'src/core/', 'src/backends/', 'models/', 'tasks/']],
  ['web/views/', ['src/plot/palette.ts']],
  ['web/dashboard/', ['src/cli/live/protocol.ts', 'web/views/', 'web/page/drawing.tsx', 'web/page/themeSwitch.tsx']],
  ['web/figure/', ['src/plot/palette.ts', 'src/plot/types.ts', 'src/plot/meanCurve.ts']],
  [
    'web/page/',
    ['web/engine/protocol.ts', 'web/engine/worker.ts', 'web/views/', 'src/backends/wasm/kernels.wasm', 'examples/'],
  ],
  ['web/learn/', ['web/engine/protocol.ts', 'web/page/', 'web/views/']],
  ['web/engine/', ['src/browser.ts', 'models/index.ts', 'tasks/index.ts', 'hardware/index.ts', 'web/views/types.ts']],
  ['web/vite.config.ts', []],
  ['models/', ['src/core/']],
  ['tasks/', ['src/core/', 'src/data/']],
  ['hardware/', ['src/core/']],
];
/** Where a package may be imported. */
const packages: Readonly<Record<string, string | readonly string[]>> = {
  '@tensorflow/tfjs-core': 'src/backends/tfjs/',
  fflate: ['src/data/', 'web/page/'],
  'hyparquet-writer': 'src/cli/',
  h5wasm: 'src/data/',
  'h5wasm-plugins': 'src/data/',
  rxjs: 'src/record/',
  'chart.js': 'src/plot/',
  '@napi-rs/canvas': 'src/plot/',
  commander: 'src/cli/',
  'cli-progress': 'src/cli/',
  preact: ['web/page/', 'web/dashboard/', 'web/learn/'],
  'd3-scale': 'web/views/',
  svgcanvas: 'web/page/',
  uplot: 'web/figure/',
  sucrase: 'web/page/',
  vite: 'web/vite.config.ts',
};

function layersOf(names: string): string[] {
  return names.split(' ').map((name) => `src/${name}/`);
}

function violations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) =>
    [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)]
      .map((match) => match[1])
      .filter((name) => !(name.startsWith('.') ? isAllowed(path, name) : isHome(path, name)))
      .map((name) => `${path} imports ${name}`),
  );
}

function isAllowed(path: string, name: string): boolean {
  const target = posix.join(posix.dirname(path), name);
  const layer = layers.find(([folder]) => path.startsWith(folder));
  return layer !== undefined && [layer[0], ...layer[1]].some((folder) => target.startsWith(folder));
}

function isHome(path: string, name: string): boolean {
  const restricted = Object.keys(packages).find((pack) => name === pack || name.startsWith(`${pack}/`));
  return !restricted || [packages[restricted]].flat().some((folder) => path.startsWith(folder));
}

it('every import goes where the table of layers lets it', () => {
  const files = readSources(['src', 'models', 'tasks', 'hardware', 'web']);
  expect(files.size).toBeGreaterThan(60);
  for (const [folder] of layers)
    expect(
      [...files.keys()].some((path) => path.startsWith(folder)),
      folder,
    ).toBe(true);
  expect(violations(files)).toEqual([]);
});

it.each([
  ['src/core/a.ts', "import type { Run } from '../engine/run.ts';"],
  ['src/engine/a.ts', "import { lif } from '../../models/neurons/lif.ts';"],
  ['src/config/a.ts', "export * from '../engine/index.ts';"],
  ['src/record/a.ts', "import '../engine/run.ts';"],
  ['src/experiment/a.ts', "import { main } from '../cli/main.ts';"],
  ['src/index.ts', "export { plotRaster } from './plot/index.ts';"],
  ['src/plot/a.ts', "const { run } = await import('../engine/run.ts');"],
  ['src/other/a.ts', "import { cut } from '../core/layout.ts';"],
  ['models/a.ts', "import {\n  tasks,\n} from '../tasks/index.ts';"],
  ['tasks/a.ts', 'import { createRun } from "../src/engine/run.ts";'],
  ['hardware/a.ts', "import { catalogue } from '../src/cli/catalogue.ts';"],
  ['src/engine/a.ts', "import { Subject } from 'rxjs';"],
  ['src/cli/a.ts', "import { Chart } from 'chart.js/auto';"],
  ['src/record/a.ts', "import { createCanvas } from '@napi-rs/canvas';"],
  ['src/plot/a.ts', "import { Command } from 'commander';"],
  ['src/core/a.ts', "import { drawRaster } from '../../web/views/raster.ts';"],
  ['web/views/a.ts', "import { createSession } from '../engine/session.ts';"],
  ['web/page/a.tsx', "import { createSession } from '../engine/session.ts';"],
  ['web/engine/a.ts', "import { createRun } from '../../src/engine/run.ts';"],
  ['web/views/a.ts', "import { render } from 'preact';"],
  ['web/dashboard/a.ts', "import { openDashboard } from '../../src/cli/live/server.ts';"],
  ['web/figure/a.ts', "import { renderStacked } from '../../src/plot/stacked.ts';"],
])('finds a planted violation: %s with %s', (path, text) => {
  expect(violations(new Map([[path, text]]))).toHaveLength(1);
});

it('lets pass what is allowed', () => {
  const files = new Map([
    ['src/cli/a.ts', "import { Command } from 'commander';\nimport { models } from '../../models/index.ts';"],
    ['models/a.ts', "import { z } from 'zod';\nimport type { Real } from '../src/core/layout.ts';\nimport './b.ts';"],
    ['src/record/a.ts', "import { Subject } from 'rxjs';\nimport { readFile } from 'node:fs/promises';"],
  ]);
  expect(violations(files)).toEqual([]);
});

/** Files that import each other, by way of others or not, types included: the first circle that is found from each file. */
function circles(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map(
    [...files].map(([path, text]) => [
      path,
      [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g)].map((match) =>
        posix.join(posix.dirname(path), match[1]),
      ),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const back = way.indexOf(path);
    if (back >= 0) found.push([...way.slice(back), path].join(' -> '));
    if (back >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return found;
}

it('no file imports itself by way of others', () => {
  expect(circles(readSources(['src', 'models', 'tasks', 'hardware', 'kernels', 'web']))).toEqual([]);
});

it('finds a planted circle, of types too', () => {
  const files = new Map([
    ['src/core/a.ts', "import { b } from './b.ts';"],
    ['src/core/b.ts', "export * from './c.ts';"],
    ['src/core/c.ts', "import type { A } from './a.ts';"],
    ['src/core/d.ts', "import { a } from './a.ts';"],
  ]);
  expect(circles(files)).toEqual(['src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts']);
});
