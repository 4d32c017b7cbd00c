import type { Catalogue, PassesBinding, PassesContext, PassesInstance, PassesModel } from '../../core/plugins.ts';

/** What there is to see when a pass has been done, before anything is learned from it. */
export type SeePass = (binding: PassesBinding, pass: number, steps: number, loss: Float64Array) => void;

/** A rule in passes that somebody looks at. */
export function watchPasses<P>(model: PassesModel<P>, see: SeePass): Catalogue['passes'][number] {
  return { ...model, derive: (p: never, context: PassesContext) => watching(model.derive(p as P, context), see) };
}

function watching(instance: PassesInstance, see: SeePass): PassesInstance {
  return {
    ...instance,
    bind(binding) {
      const bound = instance.bind(binding);
      return {
        ...bound,
        end(pass, steps, loss) {
          see(binding, pass, steps, loss);
          bound.end(pass, steps, loss);
        },
      };
    },
  };
}
