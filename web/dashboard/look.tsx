import type { LiveLook } from '../../src/cli/live/protocol.ts';
import { Drawing } from '../page/drawing.tsx';
import { drawLines } from '../views/lines.ts';
import { drawRaster } from '../views/raster.ts';

/** Spikes and outputs of the network of a checkpoint. */
export function Look({ look }: { readonly look: LiveLook }) {
  const { id, amount, unit, dtMs, steps, rasters, outputs } = look;
  const after = `after ${amount.toLocaleString('en-GB')} ${unit}`;
  return (
    <section class="side" aria-label={`Spikes and outputs of ${id || 'the run'}`}>
      <h2>
        {id || 'The run'}, at its checkpoint {after}
      </h2>
      {rasters.map(({ label, groups, spikes }) => (
        <Drawing
          key={label}
          title={label}
          about={`Raster of ${label}: ${spikes.t.length} marks in ${steps * dtMs} ms`}
          height={Math.min(420, 130 + 3 * groups.reduce((sum, { size }) => sum + size, 0))}
          file={label}
          draw={(sheet) =>
            drawRaster(sheet, {
              spikes: {
                t: Uint32Array.from(spikes.t),
                index: Uint32Array.from(spikes.index),
                value: spikes.value && Float32Array.from(spikes.value),
              },
              groups,
              steps,
              dtMs,
              cursor: null,
              yLabel: 'neuron',
            })
          }
        />
      ))}
      <Drawing
        title="Output and target"
        about={`Outputs and targets over ${steps * dtMs} ms: ${outputs.map(({ label }) => label).join(', ')}`}
        height={200}
        file="outputs"
        draw={(sheet) =>
          drawLines(sheet, {
            lines: outputs.map(({ values, ...line }) => ({
              ...line,
              values: Float32Array.from(values, (value) => value ?? Number.NaN),
            })),
            steps,
            dtMs,
            cursor: null,
            yLabel: '',
          })
        }
      />
    </section>
  );
}
