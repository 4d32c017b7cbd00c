import { z } from 'zod';

/** A time constant in ms, or the decay per step itself. */
export const decaySchema = z.union([
  z.strictObject({ tauMs: z.number().positive().describe('time constant, ms') }),
  z.strictObject({ decay: z.number().min(0).lt(1).describe('decay per step; 0 is no memory') }),
]);
