/** Actions to which AWS gives no resource: `*` is all that a policy can say. Every other one is granted by name (test/infra/iam.test.ts). */
export const anywhereActions: Readonly<Record<string, string>> = {
  'states:SendTaskSuccess': 'A token belongs to no resource; it is a secret of one execution, which only the job’s records hold.',
  'states:SendTaskFailure': 'As for SendTaskSuccess.',
  'xray:PutTraceSegments': 'X-Ray knows no resources; of the state machines’ role.',
  'xray:PutTelemetryRecords': 'As for PutTraceSegments.',
  'xray:GetSamplingRules': 'As for PutTraceSegments.',
  'xray:GetSamplingTargets': 'As for PutTraceSegments.',
  'logs:CreateLogDelivery': 'Deliveries of logs know no resources; of the state machines’ role.',
  'logs:GetLogDelivery': 'As for CreateLogDelivery.',
  'logs:UpdateLogDelivery': 'As for CreateLogDelivery.',
  'logs:DeleteLogDelivery': 'As for CreateLogDelivery.',
  'logs:ListLogDeliveries': 'As for CreateLogDelivery.',
  'logs:PutResourcePolicy': 'As for CreateLogDelivery.',
  'logs:DescribeResourcePolicies': 'As for CreateLogDelivery.',
  'logs:DescribeLogGroups': 'As for CreateLogDelivery.',
};
