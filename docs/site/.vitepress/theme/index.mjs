import { onContentUpdated, useData, withBase } from 'vitepress';
import DefaultTheme from 'vitepress/theme-without-fonts';
import { watchEffect } from 'vue';
import './style.css';

/** Figures that move are the playground's, and come with its engine where a page has one. */
function loadFigures() {
  if (!document.querySelector('spiketrace-network, spiketrace-synapse')) return;
  import(/* @vite-ignore */ new URL(withBase('/playground/learn.js'), location.href).href);
}

export default {
  extends: DefaultTheme,
  setup() {
    const { isDark, frontmatter } = useData();
    watchEffect(() => {
      if (!import.meta.env.SSR) document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light';
    });
    onContentUpdated(() => {
      loadFigures();
      // The landing page of the theme has no landmark for its content; other pages have one within.
      const content = document.getElementById('VPContent');
      if (frontmatter.value.layout === 'home') content?.setAttribute('role', 'main');
      else content?.removeAttribute('role');
    });
  },
};
