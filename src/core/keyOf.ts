import type { Catalogue } from './plugins.ts';

/** What configurations call an entry of a list: a rule by `name`, all else by `kind`. */
export const keyOf = (list: keyof Catalogue): 'name' | 'kind' => (list === 'rules' ? 'name' : 'kind');
