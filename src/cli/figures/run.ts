import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createExperiment } from '../../experiment/experiment.ts';
import { hasCanvas, renderRaster, renderStacked } from '../../plot/index.ts';
import { writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { observe } from '../observe.ts';
import { files, loadRun } from '../runFolder.ts';
import { drawCurves, drawLosses } from './curves.ts';
import { lengthShown, rasters, stacked } from './observed.ts';
import { drawnProjections, drawWeights } from './weights.ts';

/** Says in a line why there are no figures, where there can be none. */
export function canDraw(say: (line: string) => void): boolean {
  if (!hasCanvas()) say('no figures: the package @napi-rs/canvas was left out of the installation (--omit=optional)');
  return hasCanvas();
}

/** Figures of one run: learning curve, raster, stacked figure before and after training, weights. @returns their paths */
export function drawRun(folder: string): string[] {
  const experiment = loadRun(folder);
  const fresh = createExperiment(experiment.config, catalogue);
  const out = join(folder, files.figures);
  const { name, rule, seed } = experiment.config;
  const title = `${name}, ${String(rule.name)}, seed ${seed}`;
  const after = observe(experiment, lengthShown(experiment));
  const before = observe(fresh, lengthShown(experiment));
  mkdirSync(out, { recursive: true });
  const save = (file: string, png: Uint8Array) => {
    const path = join(out, file);
    writeAtomic(path, png);
    return path;
  };
  const paths = [
    save(
      'raster.png',
      renderRaster({ title, dtMs: after.dtMs, steps: after.steps, panels: rasters(after, experiment) }),
    ),
    save('stacked-before.png', renderStacked(stacked(before, fresh, `${title}, before training`))),
    save('stacked-after.png', renderStacked(stacked(after, experiment, `${title}, after training`))),
  ];
  const curves = drawCurves(title, [{ label: String(rule.name), folders: [folder] }], experiment);
  if (curves) paths.push(save('learning-curve.png', curves));
  const losses = drawLosses(title, [folder], experiment);
  if (losses) paths.push(save('losses.png', losses));
  const drawn = drawnProjections(experiment);
  for (const { name, parts } of drawn) {
    const only = drawn.length === 1;
    const unit = only && parts[0].pre === parts[0].post ? 'recurrent weight' : `weight of ${name}`;
    paths.push(save(only ? 'weights.png' : `weights-${name}.png`, drawWeights(title, name, unit, fresh, experiment)));
  }
  return paths;
}
