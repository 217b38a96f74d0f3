/**
 * AWS's own rules (cdk-nag, AwsSolutions) over an app, as part of its synthesis: a finding that is not suppressed here fails it.
 *
 * NG1. At most five suppressions, each with its evidence, and none that suppresses nothing (test/infra/nag.test.ts).
 * NG2. A suppression of wildcards names what they stand in; it is never for all of them.
 */
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

export interface Suppression {
  readonly rule: string;
  /** Of a rule with details: which of them. */
  readonly detail?: RegExp;
  readonly evidence: string;
}

export const suppressions: readonly Suppression[] = [
  {
    rule: 'AwsSolutions-SQS3',
    evidence:
      'A dead-letter queue would tear a hole in a channel whose messages are numbered (docs/guarantees.md), and one behind the delay queue would put a shard to sleep for ever. What cannot be processed is told, stays for 14 days, and is set aside by the function itself, with its reason (docs/errors.md).',
  },
  {
    rule: 'AwsSolutions-IAM5',
    detail: /^Resource::\*$/,
    evidence:
      'Only for actions to which AWS gives no resource: answering a task token, traces, and delivery of the state machines’ logs. infra/anywhere-actions.ts lists them one by one, and test/infra/iam.test.ts allows no other.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    detail: /^Resource::<\w+Bucket\w+\.Arn>\/(?:jobs\/(?:[0-9a-f]{32}\/(?:strange\/)?)?|intake\/[0-9a-f]{32}\/|savepoints\/|console\/)\*$/,
    evidence:
      'Names of objects are made while a job runs. The functions of a job reach what is below its own prefixes; the coordinator savepoints too; the function that answers questions reads below jobs/; the one that fills the console’s bucket writes below its console/.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    detail: /^Resource::arn:(?:<AWS::Partition>|aws):s3:::[a-z0-9.-]+\/.*\*$/,
    evidence:
      'The user’s data: exactly the prefixes that the plan’s sources read (GetObject only) and its sinks write, below which files are found and made while the job runs.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    detail: /:(?:execution:sluice-[0-9a-f]{16}-|schedule\/sluice-[0-9a-f]{16}\/)\*$/,
    evidence: 'Executions of the job’s own state machines and schedules of its own group, which are named while it runs.',
  },
];

/** To be called when everything of the app is made. */
export function checkWithNag(app: App): void {
  for (const { ruleName, violatingResources } of findingsOf(app)) {
    const suppression = suppressions.find((candidate) => isFor(candidate, ruleName));
    if (suppression === undefined) continue;
    for (const { constructPath } of violatingResources) {
      const construct = app.node.findAll().find(({ node }) => node.path === constructPath);
      if (construct !== undefined) Validations.of(construct).acknowledge({ id: ruleName, reason: suppression.evidence });
    }
  }
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}

/** What is left to find, suppressions counted in. */
export function findingsOf(app: App) {
  return new AwsSolutionsChecks(app).validateScope(app).violations;
}

export function isFor({ rule, detail }: Suppression, ruleName: string): boolean {
  const [, name, found] = /^([^[]+)(?:\[(.*)\])?$/s.exec(ruleName) ?? [];
  return name === rule && (detail === undefined ? found === undefined : found !== undefined && detail.test(found));
}
