export { renderLearningCurve } from './learning-curve.ts';
export { meanCurve } from './mean-curve.ts';
export { renderRaster, renderStacked } from './stacked.ts';
export type * from './types.ts';
export { renderWeights } from './weights.ts';
