import { useState } from 'preact/hooks';

interface NumberFieldProps {
  readonly label: string;
  /** Null: the field is empty. */
  readonly value: number | null;
  readonly min: number;
  readonly max?: number;
  /** @param value NaN for an empty field */
  take(value: number): void;
}

/**
 * A number that counts when it is entered. From the moment the field is entered it keeps its text and what is selected
 * of it, whatever the page shows meanwhile.
 */
export function NumberField({ label, value, take, ...limits }: NumberFieldProps) {
  const [held, hold] = useState<string | null>(null);
  return (
    <label>
      {label}{' '}
      <input
        type="number"
        {...limits}
        value={held ?? value ?? ''}
        onFocus={({ currentTarget }) => hold(currentTarget.value)}
        onInput={({ currentTarget }) => hold(currentTarget.value)}
        onChange={({ currentTarget }) => {
          hold(null);
          take(currentTarget.valueAsNumber);
        }}
        onBlur={() => hold(null)}
      />
    </label>
  );
}
