import type { Side } from '../page/side.ts';

/** Why a figure has no run. */
export function Failure({ side: { failure } }: { readonly side: Side }) {
  return (
    <div role="alert">
      {failure && (
        <p class="failure">
          {failure.name}: {failure.message}
        </p>
      )}
    </div>
  );
}
