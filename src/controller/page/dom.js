// Markup from script, and a patch that turns what is drawn into it in place: a refresh moves no focus and does not flicker.

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

class Markup {
  constructor(text) {
    this.text = text;
  }
}

const written = (value) =>
  value instanceof Markup
    ? value.text
    : Array.isArray(value)
      ? value.map(written).join('')
      : String(value).replace(/[&<>"']/g, (sign) => ESCAPES[sign]);

/** Markup; values are escaped unless they are markup (or lists of it). Line breaks beside tags are no text. */
export const html = (strings, ...values) =>
  new Markup(
    strings
      .map((text) => text.replace(/(^|>)\s*\n\s*|\s*\n\s*(?=<|$)/g, '$1'))
      .map((text, i) => text + (i < values.length ? written(values[i]) : ''))
      .join(''),
  );

const isText = (node) => node?.nodeType === Node.TEXT_NODE;
const alike = (a, b) => a.nodeName === b.nodeName && a.dataset?.key === b.dataset?.key;

function matchFor(fresh, place) {
  if (isText(fresh)) return isText(place) ? place : null;
  let match = place;
  while (match !== null && !alike(match, fresh)) match = match.nextSibling;
  return match;
}

function patchNode(old, fresh) {
  if (isText(old)) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const name of old.getAttributeNames())
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  patchChildren(old, [...fresh.childNodes]);
}

function removeBetween(first, end) {
  for (let node = first; node !== end; ) {
    const next = node.nextSibling;
    node.remove();
    node = next;
  }
}

function patchChildren(parent, children) {
  let place = parent.firstChild;
  for (const fresh of children) {
    const match = matchFor(fresh, place);
    if (match === null) parent.insertBefore(fresh, place);
    else {
      removeBetween(place, match);
      patchNode(match, fresh);
      place = match.nextSibling;
    }
  }
  removeBetween(place, null);
}

/** Makes `markup` the content of `parent`; elements of the same tag and `data-key` are kept and changed. */
export function patch(parent, markup) {
  const template = document.createElement('template');
  template.innerHTML = markup.text;
  patchChildren(parent, [...template.content.childNodes]);
}
