import { useEffect } from 'preact/hooks';

/** What keys do anywhere on the page but where one types or has a control. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
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
