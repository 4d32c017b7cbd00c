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

/** A number that counts when it is entered. What is typed before then stays, whatever the page shows meanwhile. */
export function NumberField({ label, value, take, ...limits }: NumberFieldProps) {
  const [typed, type] = useState<string | null>(null);
  return (
    <label>
      {label}{' '}
      <input
        type="number"
        {...limits}
        value={typed ?? value ?? ''}
        onInput={({ currentTarget }) => type(currentTarget.value)}
        onChange={({ currentTarget }) => {
          type(null);
          take(currentTarget.valueAsNumber);
        }}
        onBlur={() => type(null)}
      />
    </label>
  );
}
