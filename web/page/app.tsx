import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { Choices } from './choices.tsx';
import { CurvePanel } from './curvePanel.tsx';
import { redrawAll } from './drawing.tsx';
import { EarlierRuns } from './earlierRuns.tsx';
import { FilesPanel } from './filesPanel.tsx';
import { useKeys } from './keys.ts';
import { Playground } from './playground.ts';
import { PluginEditor } from './plugin.tsx';
import { frameAt } from './position.ts';
import { RunViews } from './run.tsx';
import type { Side } from './side.ts';
import { summaryOf } from './summary.ts';
import { ThemeSwitch } from './themeSwitch.tsx';
import { Transport } from './transport.tsx';

/** How often words and numbers beside the drawings follow, ms. */
const wordsMs = 250;
/** How often a screen reader is told, ms. */
const spokenMs = 5000;

export function App() {
  const page = usePlayground();
  const { shown, main, phase, setup } = page;
  const files = useRef<HTMLInputElement>(null);
  const choose = () => files.current?.click();
  useKeys({
    ' ': () => (phase === 'playing' ? page.pause() : page.play()),
    '.': () => page.move(1),
    ArrowRight: () => page.move(1),
    ArrowLeft: () => page.move(-1),
  });
  return (
    <main
      data-phase={phase}
      data-frames={main.count}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void page.take([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <header class="row">
        <h1>spiketrace playground</h1>
        <ThemeSwitch changed={redrawAll} />
      </header>
      <p class="lead">
        A recurrent spiking network that learns by a local rule while you watch. Everything runs in this page.
      </p>
      <Choices setup={setup} lists={main.lists} change={(next) => page.change(next)} />
      <Transport page={page} choose={choose} />
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Experiment and data files"
        onChange={({ currentTarget }) => {
          const taken = [...(currentTarget.files ?? [])];
          currentTarget.value = '';
          void page.take(taken);
        }}
      />
      <FilesPanel page={page} choose={choose} />
      <Failures sides={shown} problem={page.problem} />
      <Status summary={shown.map(summaryOf).filter(Boolean).join(' ')} phase={phase} />
      <CurvePanel sides={shown} earlier={page.earlier} />
      <EarlierRuns runs={page.earlier} remove={(label) => page.forget(label)} />
      <div class="sides">
        {shown.map((side, n) => (
          <section key={n} class="side" aria-label={side.info ? `Run with ${side.info.rule}` : 'Run'}>
            <h2>{headingOf(side, page)}</h2>
            {side.info && <RunViews page={page} side={side} place={n} info={side.info} />}
          </section>
        ))}
      </div>
      <PluginEditor text={setup.plugin} held={page.held} use={(plugin) => page.use(plugin)} />
    </main>
  );
}

/** The state of the page; what uses it is written anew when it has changed, and four times a second. */
function usePlayground(): Playground {
  const [, refresh] = useReducer((n: number, _: undefined) => n + 1, 0);
  const page = useMemo(() => new Playground(() => refresh(undefined)), []);
  useEffect(() => {
    page.start();
    // A link that is opened in this tab.
    const visit = () => page.visit();
    addEventListener('hashchange', visit);
    const words = setInterval(() => refresh(undefined), wordsMs);
    return () => {
      removeEventListener('hashchange', visit);
      clearInterval(words);
    };
  }, []);
  return page;
}

/** A run by its rule, and the trial that is shown of it. */
function headingOf({ info, frames }: Side, { position }: Playground): string {
  const frame = frameAt(frames, position);
  return info ? `${info.rule}${frame ? `, trial ${frame.trial + 1}` : ''}` : '...';
}

/** How the runs stand: always to be read, and said now and then, or when they rest. */
function Status({ summary, phase }: { readonly summary: string; readonly phase: string }) {
  const [spoken, say] = useState('');
  const latest = useRef(summary);
  latest.current = summary;
  useEffect(() => {
    const told = setInterval(() => say(latest.current), spokenMs);
    return () => clearInterval(told);
  }, []);
  useEffect(() => say(latest.current), [phase]);
  return (
    <>
      <p class="status">{summary || (phase === 'asking' ? 'Nothing runs yet.' : 'Loading the engine.')}</p>
      <p class="spoken" role="status" aria-live="polite">
        {spoken}
      </p>
    </>
  );
}

function Failures({ sides, problem }: { readonly sides: readonly Side[]; readonly problem: string }) {
  const failures = sides.flatMap(({ failure }) => (failure ? [`${failure.name}: ${failure.message}`] : []));
  const warnings = new Set(sides.flatMap((side) => side.warnings));
  return (
    <div role="alert" class="failures">
      {[...(problem ? [problem] : []), ...failures].map((text) => (
        <p class="failure" key={text}>
          {text}
        </p>
      ))}
      {[...warnings].map((text) => (
        <p class="warning" key={text}>
          {text}
        </p>
      ))}
    </div>
  );
}
