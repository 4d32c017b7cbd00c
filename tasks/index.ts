import type { Catalogue } from '../src/core/plugins.ts';
import { associations } from './associations.ts';
import { cartPole } from './cartPole.ts';
import { copyRepeat } from './copyRepeat.ts';
import { cuedSegments } from './cuedSegments.ts';
import { cueReward } from './cueReward.ts';
import { delayedChoice } from './delayedChoice.ts';
import { digits } from './digits.ts';
import { evidence } from './evidence.ts';
import { intervalMatching } from './intervalMatching.ts';
import { matchToSample } from './matchToSample.ts';
import { memorySaccade } from './memorySaccade.ts';
import { nBack } from './nBack.ts';
import { oneShotArm } from './oneShotArm.ts';
import { oneShotPatterns } from './oneShotPatterns.ts';
import { parity } from './parity.ts';
import { patternGeneration } from './patternGeneration.ts';
import { periodicOutput } from './periodicOutput.ts';
import { recording } from './recording.ts';
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
  parity,
  matchToSample,
  intervalMatching,
  copyRepeat,
  digits,
  recording,
] satisfies Catalogue['tasks'];

export { labelProbability, nBackBounds } from './nBack.ts';
export {
  associations,
  cartPole,
  copyRepeat,
  cuedSegments,
  cueReward,
  delayedChoice,
  digits,
  evidence,
  intervalMatching,
  matchToSample,
  memorySaccade,
  nBack,
  oneShotArm,
  oneShotPatterns,
  parity,
  patternGeneration,
  periodicOutput,
  recording,
  storeRecall,
  subtasks,
};
