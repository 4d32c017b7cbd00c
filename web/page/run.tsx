import { drawLines } from '../views/lines.ts';
import { font, type Sheet } from '../views/plot.ts';
import { drawRaster } from '../views/raster.ts';
import { drawSynapse, factorHeight, factorsOf } from '../views/synapse.ts';
import type { Frame, Line, RunInfo, SynapseName, WeightRows } from '../views/types.ts';
import { drawWeights, pairAt } from '../views/weights.ts';
import { Drawing } from './drawing.tsx';
import { NumberField } from './numberField.tsx';
import type { Playground } from './playground.ts';
import { frameAt, type Position } from './position.ts';
import type { Side } from './side.ts';
import { Terms } from './terms.tsx';

export interface RunProps {
  readonly page: Playground;
  readonly side: Side;
  /** Of the side among those that are shown. */
  readonly place: number;
  readonly info: RunInfo;
}

/** The frame, or while it trains the last one that was done step by step. */
function detailAt(side: Side, position: Position): Frame | null {
  const frame = frameAt(side.frames, position);
  return frame?.membranes || position.back > 0 ? frame : side.detail;
}

/** The weights as the frame has them, or the last ones before it that were sent. */
function weightsAt({ frames }: Side, { back }: Position, projection: string): WeightRows | null {
  for (let n = frames.length - 1 - back; n >= 0; n--) {
    const { weights } = frames[n];
    if (weights?.name === projection) return weights;
  }
  return null;
}

/** Everything that is seen of one run but its curve. */
export function RunViews(props: RunProps) {
  const { page, side, place, info } = props;
  const { position } = page;
  const file = `${info.name}-${info.rule}-${info.seed}`;
  const neurons = info.populations.reduce((sum, { size }) => sum + size, 0);
  const groups = info.populations.map(({ name, size, kind }) => ({
    label: info.populations.length > 1 ? name : kind,
    size,
  }));
  const { t } = position;
  const raster = (of: 'input' | 'neurons') => (sheet: Sheet) => {
    const frame = frameAt(side.frames, position);
    if (!frame) return;
    const rows = of === 'input' ? info.inputs : groups;
    drawRaster(sheet, { spikes: frame[of], steps: frame.steps, dtMs: info.dtMs, groups: rows, cursor: t, yLabel: of });
  };
  const lines =
    (of: (frame: Frame) => readonly Line[] | null, yLabel: string, zero: boolean, detail: boolean) =>
    (sheet: Sheet) => {
      const frame = detail ? detailAt(side, position) : frameAt(side.frames, position);
      const drawn = frame && of(frame);
      if (frame && drawn)
        drawLines(sheet, { lines: drawn, steps: frame.steps, dtMs: info.dtMs, cursor: t, yLabel, zero });
      else notKept(sheet);
    };
  const seen = (view: string) => (visible: boolean) => page.seen(`${place} ${view}`, visible);
  return (
    <>
      <Drawing
        title="Input"
        about={`Input of ${info.inputs.length} groups over one trial`}
        height={150}
        draw={raster('input')}
        file={`${file}-input`}
      />
      <Drawing
        title="Spikes"
        about={`Raster of ${neurons} neurons in ${info.populations.length} populations over one trial of ${info.steps * info.dtMs} ms`}
        height={300}
        draw={raster('neurons')}
        file={`${file}-raster`}
      />
      <Drawing
        title="Output and target"
        about="Output of the readout, solid, and its target, dashed"
        height={190}
        draw={lines(({ outputs }) => outputs, 'output', false, false)}
        file={`${file}-output`}
      />
      <Drawing
        title="Learning signals"
        about="Learning signal L of the most active neurons"
        height={190}
        draw={lines(({ signals }) => signals, 'L', true, true)}
        file={`${file}-signals`}
        seen={seen('signals')}
      >
        {side.detail?.signals?.length === 0 && (
          <p class="note">{info.rule} tells its neurons no learning signal that is known at every step.</p>
        )}
      </Drawing>
      <Drawing
        title="Membranes and thresholds"
        about="Membrane potential v of the most active neurons, solid, and their thresholds, dashed"
        height={210}
        draw={lines(({ membranes }) => membranes, 'v', false, true)}
        file={`${file}-membranes`}
        seen={seen('membranes')}
      />
      <Drawing
        title="Eligibility traces"
        about="Eligibility traces of synapses onto one neuron, by presynaptic and postsynaptic neuron"
        height={190}
        draw={lines(({ traces }) => traces, 'trace', true, true)}
        file={`${file}-traces`}
        seen={seen('traces')}
      >
        {side.detail?.synapse?.unexplained && <p class="note">{side.detail.synapse.unexplained}</p>}
      </Drawing>
      <WeightsPanel {...props} file={file} />
      <SynapsePanel {...props} file={file} />
    </>
  );
}

/** Of a trial that was shown in passing. */
function notKept({ ctx, theme, height }: Sheet): void {
  ctx.font = font;
  ctx.fillStyle = theme.axis;
  ctx.textAlign = 'left';
  ctx.fillText('This trial was not followed step by step.', 54, height / 2);
}

function WeightsPanel({ page, side, place, info, file }: RunProps & { readonly file: string }) {
  const { position, synapse } = page;
  const projection = page.projection ?? '';
  const shown = synapse ?? side.detail?.synapse ?? null;
  const draw = (sheet: Sheet) => {
    const weights = weightsAt(side, position, projection);
    if (weights) drawWeights(sheet, { weights, synapse: shown });
  };
  return (
    <Drawing
      title="Weights"
      about={`Weight matrix of projection ${projection}, presynaptic neurons from top to bottom, with a histogram`}
      height={440}
      draw={draw}
      file={`${file}-weights`}
      seen={(visible) => page.seen(`${place} weights`, visible)}
      pick={({ x, y, ...size }) => {
        const weights = weightsAt(side, position, projection);
        if (weights) page.choose(pairAt(size, weights, x, y));
      }}
    >
      <div class="row">
        <label>
          Projection{' '}
          <select value={projection} onChange={({ currentTarget }) => page.show(currentTarget.value)}>
            {info.projections.map(({ name, nPre, nPost }) => (
              <option key={name} value={name}>
                {name} ({nPre} to {nPost})
              </option>
            ))}
          </select>
        </label>
        <PairInputs info={info} projection={projection} shown={shown} choose={(pair) => page.choose(pair)} />
      </div>
      <p class="note">Click a weight to follow its synapse.</p>
    </Drawing>
  );
}

interface PairInputsProps {
  readonly info: RunInfo;
  readonly projection: string;
  readonly shown: SynapseName | null;
  choose(synapse: SynapseName): void;
}

/** The pair by its numbers, for who has no mouse. */
function PairInputs({ info, projection, shown, choose }: PairInputsProps) {
  const size = info.projections.find(({ name }) => name === projection);
  const pair = shown?.projection === projection ? shown : { projection, pre: 0, post: 0 };
  const input = (key: 'pre' | 'post', label: string, most: number) => (
    <NumberField
      label={label}
      min={0}
      max={most - 1}
      value={pair[key]}
      take={(neuron) => choose({ ...pair, [key]: Math.max(0, Math.min(most - 1, neuron || 0)) })}
    />
  );
  return (
    <>
      {input('pre', 'from', size?.nPre ?? 1)}
      {input('post', 'to', size?.nPost ?? 1)}
    </>
  );
}

function SynapsePanel({ page, side, place, info, file }: RunProps & { readonly file: string }) {
  const { position, synapse } = page;
  const detail = detailAt(side, position);
  const rows = detail?.synapse ?? null;
  const factors = rows ? factorsOf(rows).length : 5;
  const draw = (sheet: Sheet) => {
    const frame = detailAt(side, position);
    if (frame?.synapse)
      drawSynapse(sheet, { synapse: frame.synapse, steps: frame.steps, dtMs: info.dtMs, cursor: position.t });
    else notKept(sheet);
  };
  const name = rows ? `${rows.projection}: ${rows.pre} to ${rows.post}` : 'of the network';
  return (
    <Drawing
      title={`Synapse ${name}`}
      about={`Synapse ${name} over one trial: input, trace, pseudo-derivative, learning signal, what each step adds to the gradient, and the weight`}
      height={factors * factorHeight}
      draw={draw}
      file={`${file}-synapse`}
      seen={(visible) => page.seen(`${place} synapse`, visible)}
    >
      {detail && rows && <Terms rows={rows} steps={detail.steps} dtMs={info.dtMs} t={position.t} />}
      {synapse && detail && !rows && (
        <p class="note">
          There is no synapse from {synapse.pre} to {synapse.post}.
        </p>
      )}
    </Drawing>
  );
}
