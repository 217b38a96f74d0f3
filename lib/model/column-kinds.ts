/** The first byte of a packed column (docs/formats/columns.md). */
export const columnKinds = {
  constant: 0,
  integers: 1,
  floats: 2,
  booleans: 3,
  strings: 4,
  struct: 5,
  optional: 6,
  list: 7,
  json: 8,
} as const;
