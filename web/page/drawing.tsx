import { useEffect, useRef } from 'preact/hooks';
import { dark, light, type Theme } from '../views/theme.ts';
import { type Draw, savePng, saveSvg } from './save.ts';

type Redraw = () => void;
const drawings = new Set<Redraw>();
const stale = new Set<Redraw>();

/** Every drawing is made anew when the display is next ready for it. */
export function redrawAll(): void {
  for (const drawing of drawings) stale.add(drawing);
}

/** To be called once a frame of the display. */
export function flush(): void {
  for (const redraw of stale) redraw();
  stale.clear();
}

export const themeNow = (): Theme => (document.documentElement.dataset.theme === 'dark' ? dark : light);

export interface DrawingProps {
  readonly title: string;
  /** Of its heading; 3 where it is left out. */
  readonly level?: 2 | 3;
  /** What it shows, in words, for who cannot see it. */
  readonly about: string;
  /** CSS pixels. */
  readonly height: number;
  readonly draw: Draw;
  /** What it is called as a file. */
  readonly file: string;
  /** A point was chosen, CSS pixels from the corner. */
  readonly pick?: (point: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }) => void;
  /** Told when it comes into view and when it leaves. */
  readonly seen?: (visible: boolean) => void;
  readonly children?: preact.ComponentChildren;
}

/** A canvas under a title, which draws while it is in view, and can be saved. */
export function Drawing({ title, level = 3, about, height, draw, file, pick, seen, children }: DrawingProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef({ draw, seen });
  latest.current = { draw, seen };
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    let visible = false;
    const redraw = () => {
      if (!visible) return;
      paint(element, latest.current.draw);
    };
    drawings.add(redraw);
    const resized = new ResizeObserver(() => stale.add(redraw));
    resized.observe(element);
    const looked = new IntersectionObserver((looks) => {
      // A busy page is told of several looks at once; the last is how things are.
      visible = looks.at(-1)?.isIntersecting ?? visible;
      latest.current.seen?.(visible);
      stale.add(redraw);
    });
    looked.observe(element);
    return () => {
      drawings.delete(redraw);
      stale.delete(redraw);
      resized.disconnect();
      looked.disconnect();
      latest.current.seen?.(false);
    };
  }, []);
  const size = () => ({ width: canvas.current?.clientWidth ?? 0, height: canvas.current?.clientHeight ?? 0 });
  return (
    <figure class="panel">
      <figcaption>
        {level === 2 ? <h2>{title}</h2> : <h3>{title}</h3>}
        <span class="save">
          <button type="button" aria-label={`Save ${title} as PNG`} onClick={() => savePng(size(), draw, file)}>
            PNG
          </button>
          <button type="button" aria-label={`Save ${title} as SVG`} onClick={() => saveSvg(size(), draw, file)}>
            SVG
          </button>
        </span>
      </figcaption>
      <canvas
        ref={canvas}
        role="img"
        aria-label={about}
        style={{ height: `${height}px`, cursor: pick ? 'crosshair' : 'default' }}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          pick?.({ x: event.clientX - box.left, y: event.clientY - box.top, ...size() });
        }}
      />
      {children}
    </figure>
  );
}

function paint(canvas: HTMLCanvasElement, draw: Draw): void {
  const scale = devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (width === 0) return;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const ctx = canvas.getContext('2d');
  if (!ctx) return;
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.clearRect(0, 0, width, height);
  draw({ ctx, width, height, theme: themeNow(), vector: false });
}
