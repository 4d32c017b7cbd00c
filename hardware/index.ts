import { profiles } from './profiles/index.ts';

export type { KeptDecay, Product } from './arithmetic.ts';
export { type Check, type CheckName, checkNames } from './check.ts';
export { type Activity, type Demand, type DemandOptions, demandOf, type Learning, type Variable } from './demand.ts';
export { type Deployment, deploy } from './deploy.ts';
export { groupedFields } from './groups.ts';
export { type Inventory, inventory } from './inventory.ts';
/** Loihi's integer neurons and learning engine as lava emulates them. */
export * as loihi from './loihi/index.ts';
export { type Energy, type OperationCount, type Operations, synapticEventsOf } from './operations.ts';
export type { Core, CoreLimit, PlacedPart, Placement } from './placement.ts';
export { coresInWords } from './placement.ts';
export { type ChipDecay, type ChipProfile, profileSchema } from './profile.ts';
export * from './reckon/index.ts';
export { type Structure, structureOf, widthsOf } from './versions.ts';
export { profiles };

/** A chip as lists show it. */
export interface ChipEntry {
  /** Id of its profile. */
  readonly name: string;
  /** Its name and kind. */
  readonly about: string;
}

/** Every chip profile, one file each in `profiles/`. */
export const chips: readonly ChipEntry[] = profiles.map(({ id, name, substrate }) => ({
  name: id,
  about: `${name}, ${substrate}`,
}));
