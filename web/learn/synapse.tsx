import { useEffect, useRef, useState } from 'preact/hooks';
import { Drawing } from '../page/drawing.tsx';
import { Terms } from '../page/terms.tsx';
import { drawLines } from '../views/lines.ts';
import { drawSynapse, factorHeight, factorsOf } from '../views/synapse.ts';
import type { Frame, RunInfo, SynapseRows } from '../views/types.ts';
import { Failure } from './failure.tsx';
import { type FigureProps, still, useRun } from './run.ts';

/** How long a trial takes to be gone through, ms. */
const trialMs = 15_000;

/** One synapse over a trial, term by term, as far as time has gone; at the end of the trial it is trained, and the next one comes. */
export function SynapseFigure({ setup }: FigureProps) {
  const { side } = useRun(setup, { cells: true, weights: null, synapse: null });
  const { info, frames } = side;
  const frame = frames.at(-1);
  // Before the first trial is shown the figure is lower than it will be: who waits for it to rest waits for its height.
  const phase = side.phase === 'resting' && !frame ? 'opening' : side.phase;
  const steps = frame?.steps ?? 1;
  /** Null until somebody goes anywhere: the whole trial, so that there is something to look at. */
  const [asked, go] = useState<number | null>(null);
  const [playing, play] = useState(false);
  const t = asked ?? steps - 1;
  const next = (from: number | null) => {
    side.advance();
    go(from);
  };
  usePace(playing && phase === 'resting' && !side.waiting, steps, t, go, () => next(0));
  return (
    <section class="learn" aria-label="One synapse of a network that learns" data-phase={phase} data-step={t}>
      <div class="controls">
        {!still && (
          <button
            type="button"
            disabled={!frame || phase === 'ended'}
            onClick={() => {
              if (asked === null) go(0);
              play(!playing);
            }}
          >
            {playing ? 'Pause' : 'Play'}
          </button>
        )}
        <label>
          <span>
            {info ? `${Math.round(t * info.dtMs)} ms of trial ${(frame?.trial ?? 0) + 1}` : 'Loading the engine.'}
          </span>
          <input
            type="range"
            min="0"
            max={steps - 1}
            value={t}
            disabled={!frame}
            onInput={({ currentTarget }) => {
              play(false);
              go(currentTarget.valueAsNumber);
            }}
          />
        </label>
        <button type="button" disabled={phase !== 'resting'} onClick={() => next(playing ? 0 : null)}>
          Train this trial, show the next
        </button>
      </div>
      <Failure side={side} />
      {info && frame?.synapse && <Factors info={info} frame={frame} synapse={frame.synapse} t={t} />}
    </section>
  );
}

function Factors({ info, frame, synapse, t }: { info: RunInfo; frame: Frame; synapse: SynapseRows; t: number }) {
  const { steps, membranes } = frame;
  const { dtMs } = info;
  const { pre, post, projection } = synapse;
  const own = membranes?.filter(({ colour }) => colour === 0) ?? [];
  const factors = factorsOf(synapse);
  const file = `${info.name}-${projection}-${pre}-${post}`;
  return (
    <div class="factors">
      <div>
        <Drawing
          title={`Membrane of neuron ${post}`}
          about={`Membrane and threshold of neuron ${post} up to ${t * dtMs} ms`}
          height={130}
          file={`${file}-membrane`}
          draw={(sheet) => drawLines(sheet, { lines: own, steps, dtMs, cursor: t, yLabel: 'v', until: t })}
        />
        <Drawing
          title={`Synapse from ${pre} to ${post}`}
          about={`From the top: ${factors.map(({ label }) => label).join(', ')}; up to ${t * dtMs} ms`}
          height={factors.length * factorHeight}
          file={file}
          draw={(sheet) => drawSynapse(sheet, { synapse, steps, dtMs, cursor: t, until: t })}
        />
      </div>
      <div>
        <Terms rows={synapse} steps={steps} dtMs={dtMs} t={t} />
      </div>
    </div>
  );
}

/** Lets time go on with the display. @param end of the trial was reached */
function usePace(on: boolean, steps: number, t: number, go: (t: number) => void, end: () => void): void {
  const now = useRef({ steps, t, end });
  now.current = { steps, t, end };
  useEffect(() => {
    if (!on) return;
    let before: number | null = null;
    let part = now.current.t;
    let asked = 0;
    const tick = (ms: number) => {
      const { steps: all, end: ended } = now.current;
      part += before === null ? 0 : ((ms - before) * all) / trialMs;
      before = ms;
      if (part >= all - 1) return ended();
      go(Math.floor(part));
      asked = requestAnimationFrame(tick);
    };
    asked = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(asked);
  }, [on]);
}
