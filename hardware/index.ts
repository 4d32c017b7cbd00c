import { profiles } from './profiles.ts';

export { type Demand, demandOf, type Variable } from './demand.ts';
export { type Check, type Deployment, deploy } from './deploy.ts';
export { type Inventory, inventory } from './inventory.ts';
/** Loihi's integer neurons and learning engine as lava emulates them. */
export * as loihi from './loihi/index.ts';
export { type ChipProfile, profileSchema } from './profile.ts';
export * from './reckon/index.ts';
export { profiles };

export interface ChipEntry {
  readonly name: string;
  readonly about: string;
}

/** Every chip profile, one line each in `profiles.ts`. */
export const chips: readonly ChipEntry[] = profiles.map(({ id, name, substrate }) => ({
  name: id,
  about: `${name}, ${substrate}`,
}));
