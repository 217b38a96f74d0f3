/** Names a side output of an operator. Two tags with the same id are the same output. */
export interface OutputTag<T> {
  readonly id: string;
  /** Never set: carries the type. */
  readonly type?: T;
}

export function outputTag<T>(id: string): OutputTag<T> {
  return { id };
}
