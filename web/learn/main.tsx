/** Figures of the documentation, each with a run of its own that begins when it comes into view: elements by name, `setup` as in an address of the playground. */
import { type ComponentType, render } from 'preact';
import { redrawAll } from '../page/drawing.tsx';
import { NetworkFigure } from './network.tsx';
import type { FigureProps } from './run.ts';
import { SynapseFigure } from './synapse.tsx';

const figures: Readonly<Record<string, ComponentType<FigureProps>>> = {
  'spiketrace-network': NetworkFigure,
  'spiketrace-synapse': SynapseFigure,
};

function define(name: string, Figure: ComponentType<FigureProps>): void {
  customElements.define(
    name,
    class extends HTMLElement {
      #looked: IntersectionObserver | null = null;

      connectedCallback(): void {
        this.#looked = new IntersectionObserver((looks) => {
          // A busy page is told of several looks at once: out of view, then in it.
          if (!looks.some(({ isIntersecting }) => isIntersecting)) return;
          this.#looked?.disconnect();
          this.replaceChildren();
          render(<Figure setup={this.getAttribute('setup') ?? ''} />, this);
        });
        this.#looked.observe(this);
      }

      disconnectedCallback(): void {
        this.#looked?.disconnect();
        render(null, this);
      }
    },
  );
}

for (const [name, Figure] of Object.entries(figures)) define(name, Figure);
// Colours are those of the page around the figures.
new MutationObserver(redrawAll).observe(document.documentElement, { attributeFilter: ['data-theme'] });
