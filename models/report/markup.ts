// Text that goes into SVG or HTML. Class names come from data sets of other people: nothing of them may become markup.

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escaped(text: string): string {
  // Control characters are nothing that XML may hold, not even escaped.
  const clean = [...text].filter((c) => c >= ' ' || c === '\n' || c === '\t').join('');
  return clean.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

export function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)}%` : '–';
}
