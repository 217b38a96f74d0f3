/** The conditions of DynamoDB, as far as Sluice uses them: comparisons, BETWEEN, begins_with, attribute_exists and -not_exists, AND, OR, NOT. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Attributes = Readonly<Record<string, AttributeValue>>;

export function isTrue(expression: string, item: Attributes, values: Attributes): boolean {
  const parser = new Parser(expression.match(/\(|\)|,|<=|>=|<>|[<>=]|:?[A-Za-z_][A-Za-z_0-9]*|\S/g) ?? [], item, values);
  const result = parser.either();
  parser.atEnd();
  return result;
}

/** Numbers by value, texts by their UTF-8 bytes; different types do not compare. */
export function compareValues(a: AttributeValue, b: AttributeValue): number {
  if (a.N !== undefined && b.N !== undefined) return Number(a.N) - Number(b.N);
  if (a.S !== undefined && b.S !== undefined) return Buffer.compare(Buffer.from(a.S), Buffer.from(b.S));
  return Number.NaN;
}

class Parser {
  readonly #tokens: readonly string[];
  readonly #item: Attributes;
  readonly #values: Attributes;
  #at = 0;

  constructor(tokens: readonly string[], item: Attributes, values: Attributes) {
    this.#tokens = tokens;
    this.#item = item;
    this.#values = values;
  }

  either(): boolean {
    let result = this.#both();
    while (this.#takes('OR')) result = this.#both() || result;
    return result;
  }

  atEnd(): void {
    if (this.#at < this.#tokens.length) throw new Error(`unexpected ${this.#tokens[this.#at]}`);
  }

  #both(): boolean {
    let result = this.#one();
    while (this.#takes('AND')) result = this.#one() && result;
    return result;
  }

  #one(): boolean {
    if (this.#takes('NOT')) return !this.#one();
    if (this.#takes('(')) {
      const result = this.either();
      this.#expect(')');
      return result;
    }
    const call = /^(attribute_exists|attribute_not_exists|begins_with)$/.exec(this.#tokens[this.#at] ?? '')?.[1];
    return call === undefined ? this.#comparison() : this.#call(call);
  }

  #call(name: string): boolean {
    this.#at += 1;
    this.#expect('(');
    const value = this.#operand();
    const prefix = name === 'begins_with' ? (this.#expect(','), this.#operand()) : undefined;
    this.#expect(')');
    if (name === 'begins_with') return value?.S?.startsWith(prefix?.S ?? '') === true;
    return (value !== undefined) === (name === 'attribute_exists');
  }

  #comparison(): boolean {
    const left = this.#operand();
    if (this.#takes('BETWEEN')) {
      const low = this.#operand();
      this.#expect('AND');
      const high = this.#operand();
      return this.#holds(left, '>=', low) && this.#holds(left, '<=', high);
    }
    const sign = this.#tokens[this.#at++] ?? '';
    return this.#holds(left, sign, this.#operand());
  }

  #holds(left: AttributeValue | undefined, sign: string, right: AttributeValue | undefined): boolean {
    if (left === undefined || right === undefined) return false;
    const order = compareValues(left, right);
    const results: Readonly<Record<string, boolean>> = {
      '=': order === 0,
      '<>': order !== 0,
      '<': order < 0,
      '<=': order <= 0,
      '>': order > 0,
      '>=': order >= 0,
    };
    const result = results[sign];
    if (result === undefined) throw new Error(`no comparison: ${sign}`);
    return result;
  }

  #operand(): AttributeValue | undefined {
    const name = this.#tokens[this.#at++] ?? '';
    if (!name.startsWith(':')) return this.#item[name];
    if (this.#values[name] === undefined) throw new Error(`no value for ${name}`);
    return this.#values[name];
  }

  #takes(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#takes(token)) throw new Error(`expected ${token}, found ${this.#tokens[this.#at]}`);
  }
}
