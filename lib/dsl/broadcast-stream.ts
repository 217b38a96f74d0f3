import type { InputDraft } from './node-draft.ts';

/** A stream of which every subtask of the other side gets all records: `stream.connect(rules.broadcast(descriptor))`. */
export class BroadcastStream<B, BK, BV> {
  readonly input: InputDraft;
  readonly stateName: string;
  /** Never set: carries the types. */
  declare readonly types?: readonly [B, BK, BV];

  constructor(input: InputDraft, stateName: string) {
    this.input = input;
    this.stateName = stateName;
  }
}
