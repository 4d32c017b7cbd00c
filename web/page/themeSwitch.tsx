import { useEffect, useState } from 'preact/hooks';

const key = 'spiketrace.theme';
type Named = 'system' | 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');

/** Dark or light, as the machine is or as it is chosen. @param changed told when colours are others */
export function ThemeSwitch({ changed }: { changed(): void }) {
  const [theme, choose] = useState<Named>((localStorage.getItem(key) as Named | null) ?? 'system');
  useEffect(() => {
    localStorage.setItem(key, theme);
    const apply = () => {
      document.documentElement.dataset.theme = theme === 'system' ? (system.matches ? 'dark' : 'light') : theme;
      changed();
    };
    apply();
    system.addEventListener('change', apply);
    return () => system.removeEventListener('change', apply);
  }, [theme]);
  return (
    <label class="theme">
      Colours
      <select value={theme} onChange={({ currentTarget }) => choose(currentTarget.value as Named)}>
        <option value="system">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}
