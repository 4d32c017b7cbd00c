import { models } from '../../models/index.ts';
import { tasks } from '../../tasks/index.ts';
import type { Catalogue } from '../core/plugins.ts';

/** What the command line can choose from. */
export const catalogue: Catalogue = { ...models, tasks };
