/** Rows of reliability.md §4 that have no form in a deployed job: the test that shows what comes of them. */
export interface Elsewhere {
  readonly row: number;
  readonly why: string;
  readonly file: string;
  /** A part of its name, or of its table. */
  readonly test: string;
}

export const elsewhere: readonly Elsewhere[] = [
  {
    row: 17,
    why: 'the clocks of this machine are nobody’s to turn: each container of the simulator has its own',
    file: 'test/sim/hunts.ts',
    test: "'clock-decides'",
  },
  {
    row: 29,
    why: 'there is no sink that calls an address: a connector that is not there is refused with the plan',
    file: 'test/dsl/compile-job.test.ts',
    test: 'has connectors that this version does not have',
  },
  {
    row: 30,
    why: 'the emulator never loses an answer: the services of these sinks do, in their own tests',
    file: 'test/adapters/connectors/sqs-sink.test.ts',
    test: 'is sent again with its id to a standard queue, by which its consumer knows it',
  },
  {
    row: 37,
    why: 'our own handler cannot be made to answer wrongly from outside',
    file: 'test/adapters/aws/answer-batch.test.ts',
    test: 'names only messages of its batch, once each',
  },
  {
    row: 38,
    why: 'a job comes with its deployment: what is wrong with it is told before there is anything to deploy',
    file: 'test/dsl/compile-job.test.ts',
    test: 'is refused with all its errors in one',
  },
];
