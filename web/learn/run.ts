import { useEffect, useMemo, useReducer } from 'preact/hooks';
import type { Watch } from '../engine/protocol.ts';
import { choicesOf, fromHash } from '../page/address.ts';
import { flush, redrawAll } from '../page/drawing.tsx';
import { Side } from '../page/side.ts';

export interface FigureProps {
  /** What the run is of, as in an address of the playground: `preset=...&seed=...`. */
  readonly setup: string;
}

/** Whether the reader has asked for pages that keep still. */
export const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
/** How often a page that keeps still shows what has come, ms. */
const stillMs = 1500;
/** How often words beside the drawings follow, ms. */
const wordsMs = 250;

/** A run, and the way back to its beginning. */
export interface FigureRun {
  readonly side: Side;
  again(): void;
}

/** A run that follows the display, for as long as its figure is there. @param watch what the figure shows */
export function useRun(setup: string, watch: Watch): FigureRun {
  const [, refresh] = useReducer((n: number, _: undefined) => n + 1, 0);
  const side = useMemo(() => new Side(() => refresh(undefined), redrawAll), []);
  const again = () => side.open(choicesOf(fromHash(setup))[0], watch);
  useEffect(() => {
    let there = true;
    void side.load(null).then(() => {
      if (!there) side.close();
      else if (side.lists) again();
    });
    let shown = 0;
    const tick = (now: number) => {
      if (!there) return;
      if (!still || now - shown > stillMs) {
        shown = now;
        side.tick();
      }
      flush();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    const words = setInterval(() => refresh(undefined), wordsMs);
    return () => {
      there = false;
      clearInterval(words);
      side.close();
    };
  }, []);
  return { side, again };
}
