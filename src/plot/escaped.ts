// Text -> text that is nothing but text in SVG and HTML, also inside an attribute.

/** Names in a capture are whatever somebody sent: what is no character of XML becomes a question mark. */
export function escaped(text: string): string {
  return text
    .replace(/[^\t\n\x20-\ufffd]|\p{Cs}/gu, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
