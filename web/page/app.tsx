import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { Watch } from '../engine/protocol.ts';
import { type Curve, drawCurve, smoothed } from '../views/curve.ts';
import type { SynapseName } from '../views/types.ts';
import { choicesOf, fromHash, type Setup, toHash } from './address.ts';
import { Choices } from './choices.tsx';
import { Drawing, flush, redrawAll } from './drawing.tsx';
import { type Earlier, readEarlier, withRun, writeEarlier } from './earlier.ts';
import { EarlierRuns } from './earlierRuns.tsx';
import { PluginEditor } from './plugin.tsx';
import { frameAt, type Position, RunViews } from './run.tsx';
import { phaseOf, Side } from './side.ts';
import { summaryOf } from './summary.ts';
import { ThemeSwitch } from './themeSwitch.tsx';
import { Transport } from './transport.tsx';

/** How often words and numbers beside the drawings follow, ms. */
const wordsMs = 250;
/** How often a screen reader is told, ms. */
const spokenMs = 5000;

/** Views of what only a trial that is done again step by step shows. */
const stepwise = ['signals', 'membranes', 'traces', 'synapse'];

const nowhere: Position = { back: 0, t: null };

export function App() {
  const [, refresh] = useReducer((n: number, _: undefined) => n + 1, 0);
  const again = () => refresh(undefined);
  const [setup, setSetup] = useState<Setup>(() => fromHash(location.hash));
  const [plugin, setPlugin] = useState<string | null>(null);
  const [position, setPosition] = useState<Position>(nowhere);
  // Keys may come faster than the page is drawn.
  const place = useRef(position);
  const go = (to: Position) => {
    place.current = to;
    setPosition(to);
  };
  const [synapse, setSynapse] = useState<SynapseName | null>(null);
  const [projection, setProjection] = useState<string | null>(null);
  const [visible, setVisible] = useState<ReadonlySet<string>>(new Set());
  const [earlier, setEarlier] = useState<readonly Earlier[]>(readEarlier);
  const [problem, setProblem] = useState('');
  const [spoken, setSpoken] = useState('');
  const playWhenOpen = useRef(false);
  const sides = useMemo(() => {
    const changed = () => {
      redrawAll();
      again();
    };
    return [new Side(changed, redrawAll), new Side(changed, redrawAll)] as const;
  }, []);
  const shown = sides.slice(0, setup.beside === null ? 1 : 2);
  const main = shown[0];
  const phase = phaseOf(shown);
  const inSight = (view: string) => shown.some((_, n) => visible.has(`${n} ${view}`));
  const cells = stepwise.some(inSight);
  const watch: Watch = { cells, weights: inSight('weights') ? projection : null, synapse };

  const keep = () => {
    const kept = shown.reduce<readonly Earlier[]>((runs, side) => withRun(runs, side, toHash(setup)), earlier);
    setEarlier(kept);
    writeEarlier(kept);
  };
  const open = async (next: Setup, code: string | null) => {
    go(nowhere);
    setSynapse(null);
    setProblem('');
    history.replaceState(null, '', toHash(next));
    const choices = choicesOf(next);
    await Promise.all(
      choices.map(async (choice, n) => {
        if (sides[n].lists === null || code !== plugin) {
          await sides[n].load(code);
          await sides[n].loaded();
        }
        if (sides[n].lists === null) return;
        sides[n].open(choice, { ...watch, synapse: null });
      }),
    );
  };
  const change = (next: Setup, code = plugin) => {
    keep();
    playWhenOpen.current = false;
    setSetup(next);
    setPlugin(code);
    void open(next, code);
  };
  const play = () => {
    go(nowhere);
    playWhenOpen.current = shown.some(({ phase }) => phase === 'loading' || phase === 'opening');
    for (const side of shown) side.play(setup.until);
  };
  const pause = () => {
    playWhenOpen.current = false;
    for (const side of shown) side.pause();
  };

  useEffect(() => {
    void open(setup, plugin);
    let running = requestAnimationFrame(function tick() {
      for (const side of sides) side.tick();
      flush();
      running = requestAnimationFrame(tick);
    });
    const words = setInterval(again, wordsMs);
    return () => {
      cancelAnimationFrame(running);
      clearInterval(words);
    };
  }, []);
  // A link that is opened in this tab.
  useEffect(() => {
    const moved = () => change(fromHash(location.hash));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  });
  const summary = shown.map(summaryOf).filter(Boolean).join(' ');
  const latest = useRef(summary);
  latest.current = summary;
  useEffect(() => {
    const told = setInterval(() => setSpoken(latest.current), spokenMs);
    return () => clearInterval(told);
  }, []);
  useEffect(() => setSpoken(summary), [phase]);
  useEffect(
    () => {
      if (playWhenOpen.current && shown.every(({ phase }) => phase === 'resting')) play();
      if (phase === 'ended') keep();
      const names = main.info?.projections.map(({ name }) => name) ?? [];
      if (main.info && (projection === null || !names.includes(projection))) setProjection(names.at(-1) ?? null);
    },
    shown.map(({ phase }) => phase),
  );
  useEffect(() => {
    for (const side of shown) side.watch(watch);
  }, [watch.cells, watch.weights, synapse]);
  useEffect(redrawAll, [position, synapse, earlier]);

  const move = (by: 1 | -1) => {
    if (phase === 'playing') return pause();
    const moved = movedBy(main, place.current, by);
    if (moved) return go(moved);
    if (by === 1 && phase === 'resting') {
      for (const side of shown) side.advance();
      go({ back: 0, t: 0 });
    }
  };
  useKeys({
    ' ': phase === 'playing' ? pause : play,
    '.': () => move(1),
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
  });
  const take = async (file: File | undefined) => {
    if (!file) return;
    try {
      const experiment = JSON.parse(await file.text());
      change({ ...setup, experiment, rule: null, neuron: null, chip: null, settings: [] });
    } catch (error) {
      setProblem(`${file.name}: ${error instanceof Error ? error.message : error}`);
    }
  };

  const seen = (view: string, is: boolean) =>
    setVisible((now) => {
      const next = new Set(now);
      if (is) next.add(view);
      else next.delete(view);
      return next;
    });
  return (
    <main
      data-phase={phase}
      data-frames={main.count}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void take(event.dataTransfer?.files[0]);
      }}
    >
      <header class="row">
        <h1>spiketrace playground</h1>
        <ThemeSwitch changed={redrawAll} />
      </header>
      <p class="lead">
        A recurrent spiking network that learns by a local rule while you watch. Everything runs in this page.
      </p>
      <Choices setup={setup} lists={main.lists} change={change} />
      <Transport
        sides={shown}
        phase={phase}
        setup={setup}
        position={position}
        move={move}
        go={go}
        play={play}
        pause={pause}
        again={() => change(setup)}
        take={take}
      />
      <Failures sides={shown} problem={problem} />
      <p class="status">{summary || 'Loading the engine.'}</p>
      <p class="spoken" role="status" aria-live="polite">
        {spoken}
      </p>
      <CurvePanel sides={shown} earlier={earlier} />
      <EarlierRuns
        runs={earlier}
        remove={(label) => {
          const left = earlier.filter((run) => run.label !== label);
          setEarlier(left);
          writeEarlier(left);
        }}
      />
      <div class="sides">
        {shown.map((side, n) => (
          <section key={n} class="side" aria-label={side.info ? `Run with ${side.info.rule}` : 'Run'}>
            <h2>{headingOf(side, position)}</h2>
            {side.info && (
              <RunViews
                side={side}
                info={side.info}
                position={position}
                synapse={synapse}
                projection={projection ?? ''}
                choose={setSynapse}
                show={setProjection}
                seen={(view, is) => seen(`${n} ${view}`, is)}
              />
            )}
          </section>
        ))}
      </div>
      <PluginEditor active={plugin !== null} use={(code) => change(code === null ? setup : { ...setup }, code)} />
    </main>
  );
}

/** A run by its rule, and the trial that is shown of it. */
function headingOf(side: Side, position: Position): string {
  const frame = frameAt(side, position);
  return side.info ? `${side.info.rule}${frame ? `, trial ${frame.trial + 1}` : ''}` : '...';
}

/** One step on or back, through the frames that were shown; null at their ends. */
function movedBy(side: Side, position: Position, by: 1 | -1): Position | null {
  const frame = frameAt(side, position);
  if (!frame) return null;
  if (position.t === null) return { ...position, t: by === 1 ? 0 : frame.steps - 1 };
  const t = position.t + by;
  if (t >= 0 && t < frame.steps) return { ...position, t };
  const back = position.back - by;
  const beside = back >= 0 && back < side.frames.length ? side.frames[side.frames.length - 1 - back] : null;
  return beside && { back, t: by === 1 ? 0 : beside.steps - 1 };
}

function useKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { target, ctrlKey, metaKey, altKey, key } = event;
      const typing = target instanceof Element && target.closest('input, select, textarea, button, summary, a');
      if (typing || ctrlKey || metaKey || altKey || !Object.hasOwn(keys, key)) return;
      event.preventDefault();
      keys[key]();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  });
}

function Failures({ sides, problem }: { readonly sides: readonly Side[]; readonly problem: string }) {
  return (
    <div role="alert" class="failures">
      {problem && <p class="failure">{problem}</p>}
      {sides.map(({ failure, warnings }) => (
        <>
          {failure && (
            <p class="failure">
              {failure.name}: {failure.message}
            </p>
          )}
          {warnings.map((text) => (
            <p class="warning" key={text}>
              {text}
            </p>
          ))}
        </>
      ))}
    </div>
  );
}

/** The curves of both sides, and of earlier runs with the same score. */
function CurvePanel({ sides, earlier }: { readonly sides: readonly Side[]; readonly earlier: readonly Earlier[] }) {
  const [main] = sides;
  const info = main.info;
  const curves = (): Curve[] => {
    const own = sides.flatMap(({ info: of, amount, score }, n) =>
      of ? [{ label: of.rule, amount, score, colour: n, faded: false }] : [],
    );
    const labels = sides.map(({ info: of }) => of && `${of.name}, ${of.rule}, seed ${of.seed}`);
    const former = earlier.filter(
      (run) => run.unit === info?.unit && run.score.label === info.score.label && !labels.includes(run.label),
    );
    return [
      ...own,
      ...former.map(({ label, amount, values }, n) => ({
        label,
        amount,
        score: values,
        colour: sides.length + n,
        faded: true,
      })),
    ];
  };
  const last = smoothed(main.score).at(-1);
  const about = info
    ? `Learning curve: ${info.score.label} over ${info.unit}, ${main.amount.length} points, now ${last?.toPrecision(3) ?? 'none'}; bounds ${info.bounds.map(({ label, value }) => `${label} ${value.toPrecision(3)}`).join(', ') || 'none'}`
    : 'Learning curve';
  return (
    <Drawing
      title="Learning curve"
      level={2}
      about={about}
      height={280}
      file={`${info?.name ?? 'run'}-curve`}
      draw={(sheet) =>
        info &&
        drawCurve(sheet, {
          curves: curves(),
          bounds: info.bounds,
          score: info.score,
          unit: info.unit,
          total: info.total,
        })
      }
    />
  );
}
