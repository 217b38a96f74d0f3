/**
 * What others wrote, as part of one line on a terminal: whatever would begin another line, move the cursor or turn text around is shown as its number. Who
 * may ask for something may otherwise write lines into what others read as records.
 */
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function plainLine(text: string): string {
  return text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
