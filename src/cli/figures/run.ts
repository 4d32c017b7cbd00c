import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createExperiment } from '../../experiment/experiment.ts';
import { type FigureFormat, hasCanvas, renderRaster, renderStacked } from '../../plot/index.ts';
import { writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { observe } from '../observe.ts';
import { files, loadRun } from '../runFolder.ts';
import { drawCurves, drawLosses } from './curves.ts';
import { rasters, stacked, type View, windowShown } from './observed.ts';
import { drawnProjections, drawWeights } from './weights.ts';

/** Says in a line why there are no figures, where there can be none. */
export function canDraw(say: (line: string) => void): boolean {
  if (!hasCanvas()) say('no figures: the package @napi-rs/canvas was left out of the installation (--omit=optional)');
  return hasCanvas();
}

/** How figures are drawn, and of what part of a run. */
export interface Drawing extends View {
  readonly format?: FigureFormat;
  /** In place of the run's own folder of figures. */
  readonly out?: string;
}

/** Figures of one run: learning curve, raster, stacked figure before and after training, weights, which stay pictures. @returns their paths */
export function drawRun(folder: string, drawing: Drawing = {}): string[] {
  const { format = 'png' } = drawing;
  const options = { format };
  const picture = format === 'html' ? 'png' : format;
  const experiment = loadRun(folder);
  const fresh = createExperiment(experiment.config, catalogue);
  const out = drawing.out ?? join(folder, files.figures);
  const { name, rule, seed } = experiment.config;
  const title = `${name}, ${String(rule.name)}, seed ${seed}`;
  const window = windowShown(experiment, drawing);
  const after = observe(experiment, window);
  const before = observe(fresh, window);
  const lines = (observation: typeof after, of: typeof experiment, when: string) =>
    renderStacked(stacked(observation, of, `${title}, ${when} training`, drawing), options);
  const { dtMs, steps, from } = after;
  const figures = new Map<string, Uint8Array>([
    [
      `raster.${format}`,
      renderRaster({ title, dtMs, steps, startStep: from, panels: rasters(after, experiment) }, options),
    ],
    [`stacked-before.${format}`, lines(before, fresh, 'before')],
    [`stacked-after.${format}`, lines(after, experiment, 'after')],
  ]);
  const curves = drawCurves(title, [{ label: String(rule.name), folders: [folder] }], experiment, options);
  if (curves) figures.set(`learning-curve.${format}`, curves);
  const losses = drawLosses(title, [folder], experiment, options);
  if (losses) figures.set(`losses.${format}`, losses);
  const drawn = drawnProjections(experiment);
  for (const { name, parts } of drawn) {
    const only = drawn.length === 1;
    const unit = only && parts[0].pre === parts[0].post ? 'recurrent weight' : `weight of ${name}`;
    const file = `${only ? 'weights' : `weights-${name}`}.${picture}`;
    figures.set(file, drawWeights(title, name, unit, fresh, experiment, { format: picture }));
  }
  mkdirSync(out, { recursive: true });
  return [...figures].map(([name, figure]) => {
    const path = join(out, name);
    writeAtomic(path, figure);
    return path;
  });
}
