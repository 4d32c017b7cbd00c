import type uPlot from 'uplot';
import type { FigureContent } from '../../src/plot/types.ts';
import { curvePanels } from './curves.ts';
import { darkness, openPanel, type Panel, shade } from './panel.ts';
import { trialPanels } from './trial.ts';

/** What a figure shows, packed: gzip in base64. */
async function content(): Promise<FigureContent> {
  const text = document.getElementById('content')?.textContent ?? '';
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

const made = <K extends keyof HTMLElementTagNameMap>(name: K, text = '', className = ''): HTMLElementTagNameMap[K] =>
  Object.assign(document.createElement(name), { textContent: text, className });

/** Panels one below the other, which share their x range, with buttons and keys to move it. */
function show(panels: readonly Panel[], main: HTMLElement): void {
  const told = made('p', 'Point at a mark to read it. Drag to zoom.', 'told');
  told.setAttribute('role', 'status');
  const plots: uPlot[] = [];
  let moving = false;
  const move = (from: number, to: number) => {
    if (moving) return;
    moving = true;
    for (const plot of plots) plot.setScale('x', { min: from, max: to });
    moving = false;
  };
  const xRange: [number, number] = [
    Math.min(...panels.map((panel) => panel.xRange[0])),
    Math.max(...panels.map((panel) => panel.xRange[1])),
  ];
  const whole = () => {
    plots.forEach((plot, n) => {
      plot.setScale('y', { min: panels[n].yRange[0], max: panels[n].yRange[1] });
    });
    move(...xRange);
  };
  main.append(controls(plots, move, whole), told);
  for (const panel of panels) {
    const figure = made('figure');
    const caption = made('figcaption', panel.label);
    for (const { label, colour, dashed } of panel.legend) caption.append(legendEntry(label, colour, dashed));
    const home = made('div', '', 'home');
    home.setAttribute('role', 'img');
    home.setAttribute('aria-label', `${panel.label || panel.yLabel} over ${panels[panels.length - 1].xLabel}`);
    figure.append(caption, home);
    main.append(figure);
    const say = (text: string | null) => {
      told.textContent = text ?? '\u00a0';
    };
    plots.push(openPanel(panel, home, move, say));
    home.addEventListener('dblclick', whole);
  }
  whole();
  new ResizeObserver(() => {
    plots.forEach((plot, n) => {
      plot.setSize({ width: main.clientWidth, height: panels[n].height });
    });
  }).observe(main);
  darkness.addEventListener('change', () => {
    for (const plot of plots) plot.redraw();
  });
}

function legendEntry(label: string, colour: string, dashed: boolean): HTMLElement {
  const entry = made('span', '', 'key');
  const mark = made('i', '', dashed ? 'dashed' : '');
  mark.style.borderColor = shade(colour);
  entry.append(mark, label);
  return entry;
}

/** Buttons, and the keys that do the same. */
function controls(plots: readonly uPlot[], move: (from: number, to: number) => void, whole: () => void): HTMLElement {
  /** The range of x as a share of itself: where it begins and how long it is. */
  const change = (begin: number, length: number) => () => {
    const { min, max } = plots[0].scales.x;
    if (min == null || max == null) return;
    const from = min + begin * (max - min);
    move(from, from + length * (max - min));
  };
  const actions: readonly (readonly [name: string, keys: string, act: () => void])[] = [
    ['Zoom in', '+=', change(0.25, 0.5)],
    ['Zoom out', '-', change(-0.5, 2)],
    ['Earlier', 'ArrowLeft', change(-0.25, 1)],
    ['Later', 'ArrowRight', change(0.25, 1)],
    ['All', '0', whole],
  ];
  const bar = made('div', '', 'bar');
  for (const [name, , act] of actions) {
    const button = made('button', name);
    button.type = 'button';
    button.addEventListener('click', act);
    bar.append(button);
  }
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions.find(
      ([, keys]) => keys === event.key || (event.key.length === 1 && keys.includes(event.key)),
    );
    if (!action) return;
    event.preventDefault();
    action[2]();
  });
  return bar;
}

async function start(main: HTMLElement): Promise<void> {
  const { kind, data } = await content();
  show(kind === 'trial' ? trialPanels(data) : curvePanels(data), main);
  main.setAttribute('data-shown', '');
}

const main = document.querySelector('main');
if (main) void start(main);
