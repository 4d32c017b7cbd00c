import type { Catalogue } from '../src/core/plugins.ts';
import { associations } from './associations.ts';
import { cartPole } from './cartPole.ts';
import { cuedSegments } from './cuedSegments.ts';
import { cueReward } from './cueReward.ts';
import { delayedChoice } from './delayedChoice.ts';
import { evidence } from './evidence.ts';
import { memorySaccade } from './memorySaccade.ts';
import { nBack } from './nBack.ts';
import { oneShotArm } from './oneShotArm.ts';
import { oneShotPatterns } from './oneShotPatterns.ts';
import { patternGeneration } from './patternGeneration.ts';
import { periodicOutput } from './periodicOutput.ts';
import { storeRecall } from './storeRecall.ts';
import { subtasks } from './subtasks.ts';

/** Every task, one line each. */
export const tasks = [
  nBack,
  patternGeneration,
  periodicOutput,
  cueReward,
  cartPole,
  delayedChoice,
  memorySaccade,
  oneShotPatterns,
  oneShotArm,
  cuedSegments,
  storeRecall,
  evidence,
  subtasks,
  associations,
] satisfies Catalogue['tasks'];

export { labelProbability, nBackBounds } from './nBack.ts';
export {
  associations,
  cartPole,
  cuedSegments,
  cueReward,
  delayedChoice,
  evidence,
  memorySaccade,
  nBack,
  oneShotArm,
  oneShotPatterns,
  patternGeneration,
  periodicOutput,
  storeRecall,
  subtasks,
};
