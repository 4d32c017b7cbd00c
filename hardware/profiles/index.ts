import type { ChipProfile } from '../profile.ts';
import { brainscales2 } from './brainscales2.ts';
import { ideal } from './ideal.ts';
import { loihi1 } from './loihi1.ts';
import { loihi2 } from './loihi2.ts';
import { odin } from './odin.ts';
import { reckon } from './reckon.ts';
import { spinnaker2 } from './spinnaker2.ts';
import { xylo } from './xylo.ts';

/** Chips, each as its documents and public code have it. */
export const profiles: readonly ChipProfile[] = [reckon, loihi1, loihi2, spinnaker2, brainscales2, odin, xylo, ideal];
