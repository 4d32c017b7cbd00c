export { hasCanvas } from './available.ts';
export { renderHeatMap } from './heatMap.ts';
export { renderLearningCurve, renderLearningCurves } from './learningCurve.ts';
export { meanCurve, spreadCurve } from './meanCurve.ts';
export { renderNetwork } from './network.ts';
export { renderRaster, renderStacked } from './stacked.ts';
export type * from './types.ts';
export { renderWeights } from './weights.ts';
