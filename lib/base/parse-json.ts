/**
 * JSON.parse that is right about the names of properties.
 *
 * V8 keeps in mind which names followed which, and compares a name's text, not what its escapes stand for, with what it expects: once an object had
 * the name `\`, a later `"\n"` or `"\""` in its place comes out as `\` (nodejs/node#63785; Node 24 and 26). Strings that are values are right.
 */

/** @throws SyntaxError as JSON.parse does */
export function parseJson(text: string): unknown {
  const first = text.indexOf('\\');
  return first < 0 || !hasEscapedName(text, first) ? JSON.parse(text) : parseByHand(text);
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/** Whether a string with an escape in it is a name. In JSON a backslash is always inside a string. */
function hasEscapedName(text: string, first: number): boolean {
  for (let at = first; at >= 0; at = text.indexOf('\\', at)) {
    at = skipSpace(text, endOfString(text, at));
    if (text.charCodeAt(at) === colon) return true;
  }
  return false;
}

/** Behind the quotation mark that ends the string, which `at` is inside of. */
function endOfString(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === quote) return i + 1;
    if (unit === backslash) i++;
  }
  return text.length;
}

function skipSpace(text: string, at: number): number {
  let i = at;
  while (i < text.length && ' \t\n\r'.includes(text[i]!)) i++;
  return i;
}

function parseByHand(text: string): unknown {
  // It says what is wrong with the text, and from here on nothing is.
  JSON.parse(text);
  return new Parser(text).value();
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    this.#at = skipSpace(this.#text, this.#at);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      default:
        return this.#literal();
    }
  }

  #object(): object {
    const object = {};
    while (this.#goesOn('}')) {
      const name = this.value() as string;
      this.#at = skipSpace(this.#text, this.#at) + 1;
      // Not by assignment: `__proto__` is a name like any other.
      Object.defineProperty(object, name, { value: this.value(), enumerable: true, configurable: true, writable: true });
    }
    return object;
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    while (this.#goesOn(']')) items.push(this.value());
    return items;
  }

  /** Passes over the opening bracket or the comma before an item, or over the bracket that ends them. */
  #goesOn(end: string): boolean {
    this.#at = skipSpace(this.#text, this.#at);
    const isFirst = this.#text[this.#at] === '{' || this.#text[this.#at] === '[';
    if (this.#text[this.#at] === end) {
      this.#at++;
      return false;
    }
    this.#at = skipSpace(this.#text, this.#at + 1);
    if (!isFirst || this.#text[this.#at] !== end) return true;
    this.#at++;
    return false;
  }

  #string(): unknown {
    const end = endOfString(this.#text, this.#at + 1);
    const string: unknown = JSON.parse(this.#text.slice(this.#at, end));
    this.#at = end;
    return string;
  }

  /** Numbers, and the three names. */
  #literal(): unknown {
    const end = /[\s,\]}]|$/g;
    end.lastIndex = this.#at;
    const to = end.exec(this.#text)!.index;
    const literal: unknown = JSON.parse(this.#text.slice(this.#at, to));
    this.#at = to;
    return literal;
  }
}
