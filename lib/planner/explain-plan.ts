/** A plan for people, for programs and for drawings: what `sluice plan` prints. */
import type { JobPlan } from '../model/job-plan.ts';
import { explainMermaid } from './explain-mermaid.ts';
import { explainText } from './explain-text.ts';
import { planHashOf } from './plan-job.ts';
import { planWarnings } from './plan-warnings.ts';

export type ExplainFormat = 'text' | 'json' | 'mermaid';

export function explainPlan(plan: JobPlan, format: ExplainFormat = 'text'): string {
  const planHash = planHashOf(plan);
  const warnings = planWarnings(plan);
  switch (format) {
    case 'text':
      return explainText(plan, planHash, warnings);
    case 'json':
      return `${JSON.stringify({ planHash, plan, warnings }, null, 2)}\n`;
    case 'mermaid':
      return explainMermaid(plan);
  }
}
