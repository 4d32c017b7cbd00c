import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** Modules of Node's are asked for at run time, where there are any (`nodeModule`). */
const external = [/^node:/];

/** The playground as a static site: every address in it is relative, so that it runs from any folder of any server. */
export default defineConfig({
  root: here('.'),
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // An inline script or a data: address would be refused by the page's own rules.
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      external,
      input: { page: here('index.html'), plugin: here('plugin.html'), learn: here('learn/main.tsx') },
      // Pages of the documentation ask for their figures by this name.
      output: { entryFileNames: ({ name }) => (name === 'learn' ? 'learn.js' : 'assets/[name]-[hash].js') },
      // An entry that is loaded by its name and exports nothing.
      preserveEntrySignatures: false,
    },
  },
  // One file: it is also started from a text, in the frame of a plug-in.
  worker: { format: 'es', rolldownOptions: { external, output: { codeSplitting: false } } },
});
