import type { Catalogue } from '../src/core/plugins.ts';
import { nBack } from './nBack.ts';
import { patternGeneration } from './patternGeneration.ts';

/** Every task, one line each. */
export const tasks = [nBack, patternGeneration] satisfies Catalogue['tasks'];

export { labelProbability, nBackBounds } from './nBack.ts';
export { nBack, patternGeneration };
