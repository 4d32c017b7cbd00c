export { type Inventory, inventory } from './inventory.ts';

/** What a chip profile will say of itself. Profiles come with the deployability report; the registry is here. */
export interface ChipEntry {
  readonly name: string;
  readonly about: string;
}

export const chips: readonly ChipEntry[] = [];
