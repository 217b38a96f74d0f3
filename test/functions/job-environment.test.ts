import { describe, expect, test } from 'vitest';
import { wantedVariable } from '../../functions/job-environment.ts';

describe('the environment of a function', () => {
  test('is refused where a variable is missing, by its name', () => {
    expect(wantedVariable('SLUICE_TABLE', { SLUICE_TABLE: 'rows' })).toBe('rows');
    expect(() => wantedVariable('SLUICE_TABLE', {})).toThrow(
      expect.objectContaining({ code: 'SLUICE-FUNCTION-ENVIRONMENT', facts: { name: 'SLUICE_TABLE' } }) as Error,
    );
  });
});
