import { useState } from 'preact/hooks';

interface NumberFieldProps {
  /** Null: the field is empty. */
  readonly value: number | null;
  readonly min: number;
  readonly max?: number;
  /** @param value NaN for an empty field */
  take(value: number): void;
}

/** A number that counts when it is entered. What is typed before then stays, whatever the page shows meanwhile. */
export function NumberField({ value, take, ...limits }: NumberFieldProps) {
  const [typed, type] = useState<string | null>(null);
  return (
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
  );
}
