import { CurvePanel } from '../page/curvePanel.tsx';
import { Drawing } from '../page/drawing.tsx';
import { summaryOf } from '../page/summary.ts';
import { drawRaster } from '../views/raster.ts';
import { Failure } from './failure.tsx';
import { type FigureProps, useRun } from './run.ts';

/** This module lies beside the playground. */
const here = import.meta.url;
const playground = (setup: string) => new URL(`index.html#${setup}`, here).href;

/** The whole network while it trains: its raster and its learning curve. */
export function NetworkFigure({ setup }: FigureProps) {
  const side = useRun(setup, { cells: false, weights: null, synapse: null });
  const { info, phase } = side;
  return (
    <section class="learn" aria-label="A network that learns" data-phase={phase}>
      <div class="controls">
        {phase === 'playing' ? (
          <button type="button" onClick={() => side.pause()}>
            Pause
          </button>
        ) : (
          <button type="button" disabled={phase !== 'resting'} onClick={() => side.play(null)}>
            Play
          </button>
        )}
        <a href={playground(setup)} target="_self">
          Open in the playground
        </a>
      </div>
      <Failure side={side} />
      <div class="drawings">
        <Drawing
          title="Spikes"
          about={
            info
              ? `Raster of ${info.populations.map(({ size, kind }) => `${size} ${kind} neurons`).join(', ')}`
              : 'Raster'
          }
          height={280}
          file={`${info?.name ?? 'run'}-spikes`}
          draw={(sheet) => {
            const frame = side.frames.at(-1);
            if (!frame || !info) return;
            const groups = info.populations.map(({ kind, size }) => ({ label: kind, size }));
            const { neurons: spikes, steps } = frame;
            drawRaster(sheet, { spikes, steps, dtMs: info.dtMs, groups, cursor: null, yLabel: 'neurons' });
          }}
        />
        <CurvePanel sides={[side]} earlier={[]} level={3} />
      </div>
      <p class="note">{info ? summaryOf(side) : 'Loading the engine.'}</p>
    </section>
  );
}
