/** What the one function that delivers may do to the tables and queues of users. */
import { Stack } from 'aws-cdk-lib';
import { awsQueue, awsTable } from '../lib/model/aws-resources.ts';
import type { JobPlan } from '../lib/model/job-plan.ts';
import type { DeployedNames } from './deployed-names.ts';
import type { JobFunction } from './job-function.ts';
import { namesOf } from './named-policy.ts';

/** What sinks deliver to, by the tables and queues that the plan names: of whoever publishes completed checkpoints. */
export function allowDeliveries(to: JobFunction, plan: JobPlan, { deployed }: DeployedNames): void {
  const stack = Stack.of(to);
  const names = namesOf(plan);
  for (const { connector } of plan.vertices.flatMap(({ operators }) => operators)) {
    const { table, queue } = connector?.options ?? {};
    const toTable = connector?.connector === 'dynamodb' && typeof table === 'string' ? awsTable(table) : undefined;
    const toQueue = connector?.connector === 'sqs' && typeof queue === 'string' ? awsQueue(queue) : undefined;
    if (toTable !== undefined) {
      const { name, ...where } = toTable;
      to.allowNamed(
        names,
        ['dynamodb:PutItem'],
        [arnOf(stack, where, { service: 'dynamodb', resource: 'table', resourceName: deployed(name) })],
      );
    }
    if (toQueue !== undefined)
      to.allowNamed(names, ['sqs:SendMessage'], [arnOf(stack, toQueue, { service: 'sqs', resource: toQueue.name })]);
  }
}

/** Where nothing is said the stack's own region and account are meant. */
function arnOf(
  stack: Stack,
  { region, account }: { readonly region?: string; readonly account?: string },
  parts: { readonly service: string; readonly resource: string; readonly resourceName?: string },
): string {
  return stack.formatArn({ ...parts, ...(region === undefined ? {} : { region }), ...(account === undefined ? {} : { account }) });
}
