export { type Inventory, inventory } from './inventory.ts';
export * from './reckon/index.ts';

/** What a chip profile will say of itself. Profiles come with the deployability report; the registry is here. */
export interface ChipEntry {
  readonly name: string;
  readonly about: string;
}

export const chips: readonly ChipEntry[] = [
  { name: 'reckon', about: 'ReckOn, 256 LIF neurons with e-prop on the chip, to the bit (Frenkel and Indiveri 2022)' },
];
