import { useState } from 'preact/hooks';
import { toHash } from './address.ts';
import type { Playground } from './playground.ts';
import { frameAt } from './position.ts';
import { saveBytes, saveText } from './save.ts';

/** Play, pause, step and scrub; what can be taken away, and one's own experiment. */
export function Transport({ page, choose }: { readonly page: Playground; choose(): void }) {
  const { main, phase, position } = page;
  const { info, frames } = main;
  const playing = phase === 'playing';
  const frame = frameAt(frames, position);
  const step = info ? `${info.dtMs} ms` : '1 ms';
  const still = phase === 'resting' || phase === 'ended';
  return (
    <div class="transport">
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={phase === 'ended' || phase === 'failed' || phase === 'asking'}
          onClick={() => (playing ? page.pause() : page.play())}
        >
          {playing ? 'Pause' : 'Play'}
        </button>
        <button type="button" disabled={!still} onClick={() => page.move(-1)} aria-label={`Back by ${step}`}>
          ◂ {step}
        </button>
        <button type="button" disabled={!still} onClick={() => page.move(1)} aria-label={`On by ${step}`}>
          {step} ▸
        </button>
        <button type="button" onClick={() => page.change({ ...page.setup })}>
          Restart
        </button>
        <Saves page={page} still={still} choose={choose} />
      </div>
      <div class="row sliders">
        <label>
          Trial {frame ? frame.trial + 1 : '-'}
          <input
            type="range"
            min={0}
            max={Math.max(1, frames.length - 1)}
            disabled={!still || frames.length < 2}
            value={frames.length - 1 - position.back}
            onInput={({ currentTarget }) => page.go({ back: frames.length - 1 - currentTarget.valueAsNumber, t: null })}
          />
        </label>
        <label>
          Time {position.t === null || !info ? 'whole trial' : `${Math.round(position.t * info.dtMs * 1000) / 1000} ms`}
          <input
            type="range"
            min={0}
            max={Math.max(1, (frame?.steps ?? 2) - 1)}
            disabled={!still || !frame}
            value={position.t ?? (frame?.steps ?? 2) - 1}
            onInput={({ currentTarget }) => page.go({ ...position, t: currentTarget.valueAsNumber })}
          />
        </label>
      </div>
      <p class="note keys">
        Keys: space plays and pauses, <kbd>.</kbd> and <kbd>→</kbd> go one step on, <kbd>←</kbd> one back.
      </p>
    </div>
  );
}

function Saves({ page, still, choose }: { readonly page: Playground; readonly still: boolean; choose(): void }) {
  const { main, setup } = page;
  const [copied, tell] = useState(false);
  const { info } = main;
  const copy = async () => {
    await navigator.clipboard.writeText(new URL(toHash(setup), location.href).href);
    tell(true);
    setTimeout(() => tell(false), 1500);
  };
  return (
    <>
      <button type="button" onClick={copy}>
        {copied ? 'Copied' : 'Copy link'}
      </button>
      <button type="button" disabled={!info} onClick={() => info && saveText(info.experiment, `${info.name}.json`)}>
        Save experiment
      </button>
      <button
        type="button"
        disabled={!still}
        onClick={async () => saveBytes(await main.checkpoint(), 'checkpoint.bin')}
      >
        Save checkpoint
      </button>
      <button type="button" onClick={choose}>
        Open files
      </button>
    </>
  );
}
