import { useEffect, useReducer, useState } from 'preact/hooks';
import { flush, redrawAll } from '../page/drawing.tsx';
import { ThemeSwitch } from '../page/themeSwitch.tsx';
import { Comparison } from './comparison.tsx';
import { Look } from './look.tsx';
import { type Column, Runs, sorted } from './runs.ts';
import { RunTable } from './table.tsx';

/** Curves that are drawn unless others are chosen. */
const drawnAtFirst = 7;

export function App() {
  const runs = useRuns();
  const [order, setOrder] = useState<{ readonly column: Column; readonly descending: boolean }>({
    column: 'id',
    descending: false,
  });
  const [chosen, choose] = useState<ReadonlySet<string> | null>(null);
  const [seen, see] = useState<string | null>(null);
  useLook(runs, seen);
  const listed = sorted(runs.all.values(), order.column, order.descending);
  const compared = chosen ?? new Set(listed.slice(0, drawnAtFirst).map(({ id }) => id));
  const toggle = (id: string) => {
    const next = new Set(compared);
    if (!next.delete(id)) next.add(id);
    choose(next);
  };
  return (
    <main data-connected={runs.connected}>
      <header class="row">
        <h1>spiketrace runs</h1>
        <ThemeSwitch changed={redrawAll} />
      </header>
      <p class="status" role="status">
        {runs.connected ? countInWords(runs) : 'No connection to the server: asking again.'}
      </p>
      <Comparison runs={listed.filter(({ id }) => compared.has(id))} bounds={boundsOf(runs, compared)} />
      <RunTable
        runs={listed}
        order={order}
        sort={(column) => setOrder({ column, descending: order.column === column && !order.descending })}
        compared={compared}
        toggle={toggle}
        seen={seen}
        see={see}
      />
      {runs.problem && <p class="failure">{runs.problem}</p>}
      {runs.look && runs.look.id === seen && <Look look={runs.look} />}
    </main>
  );
}

/** Of the run that is looked into, while its curve is drawn. */
const boundsOf = ({ look }: Runs, compared: ReadonlySet<string>) => (look && compared.has(look.id) ? look.bounds : []);

function countInWords({ all }: Runs): string {
  const of = (state: string) => [...all.values()].filter((run) => run.state === state).length;
  return `${all.size} runs: ${of('running')} running, ${of('finished')} finished, ${of('stopped')} stopped.`;
}

/** What the page knows, drawn again when the display is ready for it. */
function useRuns(): Runs {
  const [, render] = useReducer((n: number) => n + 1, 0);
  const [runs] = useState(() => {
    let waiting = false;
    return new Runs(() => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        render(0);
        redrawAll();
      });
    });
  });
  useEffect(() => {
    let asked = requestAnimationFrame(function draw() {
      flush();
      asked = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(asked);
  }, []);
  return runs;
}

/** Least time between two looks at a run that is training, ms. */
const lookMs = 5000;

/** Follows the run that is looked at. */
function useLook(runs: Runs, seen: string | null): void {
  useEffect(() => {
    if (seen === null) return;
    let before = -1;
    const look = () => {
      const amount = runs.all.get(seen)?.amount ?? -1;
      if (amount === before) return;
      before = amount;
      void runs.see(seen);
    };
    look();
    const timer = setInterval(look, lookMs);
    return () => clearInterval(timer);
  }, [seen]);
}
