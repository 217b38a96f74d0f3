import { SluiceError } from '../base/errors.ts';

/** `--set a=1 --set b=2` one by one, as commander collects them. @throws SluiceError `SLUICE-USAGE` */
export function collectParameter(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  if (at < 1) throw usage(`--set ${text} is no parameter`, 'Write --set name=value.');
  if (Object.hasOwn(before, name)) throw usage(`--set ${name} is given twice`, 'Give every parameter once.');
  return Object.fromEntries([...Object.entries(before), [name, text.slice(at + 1)]]);
}

function usage(message: string, hint: string): SluiceError {
  return new SluiceError('SLUICE-USAGE', message, { hint });
}
