// Bundles the entry for pages and puts the kernels beside it: dist/browser/.
import { copyFileSync } from 'node:fs';
import { build } from 'rolldown';

await build({
  input: 'dist/src/browser.js',
  platform: 'browser',
  external: [/^node:/],
  logLevel: 'warn',
  output: { file: 'dist/browser/spiketrace.js', format: 'esm', minify: true },
});
copyFileSync('src/backends/wasm/kernels.wasm', 'dist/browser/kernels.wasm');
