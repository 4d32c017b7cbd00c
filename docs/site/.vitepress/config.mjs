import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { titleOf } from '../generate/matter.mjs';
import { placeholder } from '../generate/relative.mjs';
import { namedPages } from './namedPages.mjs';

const pages = fileURLToPath(new URL('../.pages/', import.meta.url));

const item = (path, text = titleOf(pages + path)) => ({ text, link: `/${path.replace(/(index)?\.md$/, '')}` });
/** Entry points; the page of each lists what it has. */
const api = readdirSync(`${pages}api`, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[\w/]+\/index\.md$/.test(path))
  .map((path) => path.replace(/\/index\.md$/, ''))
  .sort()
  .map((module) => ({ text: module.replace('/namespaces/', '.'), link: `/api/${module}/` }));

const tutorials = [
  item('docs/tutorial-first-run.md'),
  item('docs/tutorial-rule.md'),
  item('docs/tutorial-own-rule.md'),
  item('docs/tutorial-own-data.md'),
  item('docs/tutorial-chip.md'),
];
const playground = { text: 'Playground', link: '/playground/index.html', target: '_self' };

const sidebar = [
  { text: 'Begin', items: [item('get-started.md'), ...tutorials] },
  {
    text: 'Results',
    items: [item('recipes.md'), item('features.md'), item('measured.md'), item('docs/results/index.md')],
  },
  {
    text: 'Guides',
    items: [
      'data',
      'hardware',
      'interop',
      'studies',
      'dashboard',
      'playground',
      'troubleshooting',
      'performance',
      'glossary',
    ].map((name) => item(`docs/${name}.md`)),
  },
  {
    text: 'Project',
    items: [
      item('cite.md'),
      item('views.md'),
      item('docs/architecture.md'),
      item('docs/decisions/index.md'),
      item('CONTRIBUTING.md'),
      item('CHANGELOG.md'),
      item('hardware/reckon/README.md'),
    ],
  },
];

export default defineConfig({
  srcDir: '.pages',
  cacheDir: '.cache',
  base: placeholder,
  lang: 'en',
  title: 'spiketrace',
  description: 'Local, online learning rules for recurrent spiking networks',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${placeholder}icon.svg` }]],
  // A hash table of all pages in every page would be most of a page.
  metaChunk: true,
  transformPageData({ relativePath, frontmatter }) {
    // Pages of the API have an index, and no order.
    if (relativePath.startsWith('api/')) Object.assign(frontmatter, { prev: false, next: false });
  },
  // The usual colours of code are too pale for small text.
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (md) => md.use(namedPages, pages),
  },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('spiketrace-') } } },
  vite: { logLevel: 'warn', build: { chunkSizeWarningLimit: 4000 } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      item('get-started.md', 'Get started'),
      { text: 'Tutorials', items: tutorials },
      { text: 'Recipes', link: '/recipes' },
      { text: 'API', link: '/api/' },
      playground,
    ],
    sidebar: { '/api/': [{ text: 'API', link: '/api/', items: api }], '/': sidebar },
    externalLinkIcon: false,
  },
});
