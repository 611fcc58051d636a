/** Writes a shape as Python does: `()`, `(3,)`, `(3, 4)`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}
