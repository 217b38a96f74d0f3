import { SluiceError } from '../base/errors.ts';

/** `--set a=1 --set b=2` one by one, as commander collects them. @throws SluiceError `SLUICE-USAGE` */
export function collectParameter(text: string, before: Texts): Texts {
  return collect('--set', text, before);
}

/** `-D restart-strategy.type=none`. @throws SluiceError `SLUICE-USAGE` */
export function collectDefinition(text: string, before: Texts): Texts {
  return collect('-D', text, before);
}

type Texts = Readonly<Record<string, string>>;

function collect(option: '--set' | '-D', text: string, before: Texts): Texts {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  if (at < 1) throw usage(`${option} ${text} is no ${option === '-D' ? 'option' : 'parameter'}`, `Write ${option} name=value.`);
  if (Object.hasOwn(before, name)) throw usage(`${option} ${name} is given twice`, 'Give each of them once.');
  return Object.fromEntries([...Object.entries(before), [name, text.slice(at + 1)]]);
}

function usage(message: string, hint: string): SluiceError {
  return new SluiceError('SLUICE-USAGE', message, { hint });
}
