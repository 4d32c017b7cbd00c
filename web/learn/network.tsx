import { fromHash } from '../page/address.ts';
import { CurvePanel } from '../page/curvePanel.tsx';
import { Drawing } from '../page/drawing.tsx';
import { summaryOf } from '../page/summary.ts';
import { drawRaster } from '../views/raster.ts';
import { Failure } from './failure.tsx';
import { type FigureProps, type FigureRun, useRun } from './run.ts';

/** This module lies beside the playground. */
const here = import.meta.url;
const playground = (setup: string) => new URL(`index.html#${setup}`, here).href;

/** The whole network while it trains: its raster and its learning curve. */
export function NetworkFigure({ setup }: FigureProps) {
  const { side, again } = useRun(setup, { cells: false, weights: null, synapse: null });
  const { info, phase } = side;
  return (
    <section class="learn" aria-label={`A network that learns: ${fromHash(setup).preset}`} data-phase={phase}>
      <div class="controls">
        <Transport side={side} again={again} />
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

function Transport({ side, again }: FigureRun) {
  const { phase } = side;
  const [name, press] =
    phase === 'playing'
      ? ['Pause', () => side.pause()]
      : phase === 'ended'
        ? ['Again', again]
        : ['Play', () => side.play(null)];
  return (
    <button type="button" disabled={!['playing', 'ended', 'resting'].includes(phase)} onClick={press}>
      {name}
    </button>
  );
}
