/** Records that kernels read: fields of four bytes in a fixed order; `f:` marks the float ones, others are integers or addresses. */

export type FieldName<F extends string> = F extends `f:${infer Name}` ? Name : F;

export type RecordValues<F extends string> = Readonly<Record<FieldName<F>, number>>;

/** Writes a record at an address. */
export function writeRecord<F extends string>(
  memory: ArrayBufferLike,
  at: number,
  fields: readonly F[],
  values: RecordValues<F>,
): void {
  const view = new DataView(memory, at, 4 * fields.length);
  fields.forEach((field, index) => {
    if (field.startsWith('f:')) view.setFloat32(4 * index, values[field.slice(2) as FieldName<F>], true);
    else view.setInt32(4 * index, values[field as FieldName<F>], true);
  });
}
