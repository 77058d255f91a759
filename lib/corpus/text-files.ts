// In: the bytes of a text, Markdown or HTML file. Out: its characters; of plain text, with lines ended alike.

/** Opens the colours of a terminal's log. */
const ESCAPE = 27;
/** Where HTML and XHTML say what they are written in. */
const DECLARATION = /(?:<meta[^>]+charset|<\?xml[^>]+encoding)\s*=\s*["']?\s*([\w-]+)/i;
/** A sign between two letters, as other encodings give when read as Windows-1252: `za³o¿yæ`. */
const SIGN_IN_WORD = /(?<=\p{L})[¡-©«¬®-³µ¶¸¹»-¿](?=\p{L})/gu;

/**
 * Bytes to text: UTF-8 or UTF-16 with a byte order mark, UTF-8 without, the encoding that an HTML file declares, else
 * Windows-1252.
 * @throws Error if the bytes are not text, or in another encoding of before Unicode.
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const head = bytes.subarray(0, 8192);
  const controls = head.filter((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== ESCAPE));
  if (head.includes(0) || controls.length > 0.02 * head.length) throw new Error('holds binary data, not text');
  const utf8 = decodeAs('utf-8', bytes);
  if (utf8 !== undefined) return utf8;
  const declared = DECLARATION.exec(decodeAs('windows-1252', head)!)?.[1];
  const asDeclared = declared && decodeAs(declared, bytes);
  if (asDeclared) return asDeclared;
  const western = decodeAs('windows-1252', bytes)!;
  if (!looksWestern(western.slice(0, 100_000)))
    throw new Error('is not in Unicode, and its encoding is unknown; save it as UTF-8');
  return western;
}

/** Undefined if the bytes are not in that encoding, or there is none of that name. */
function decodeAs(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Western languages use few letters beyond ASCII, even French and Icelandic, and no signs inside words. By hand, for
 * chardet (2.2) takes a line of Polish or of Japanese for Windows-1252, and a short Western one for UTF-8.
 */
function looksWestern(text: string): boolean {
  const characters = text.match(/\S/g)?.length ?? 0;
  const beyondAscii = text.match(/[^\s -~]/g)?.length ?? 0;
  const signs = text.match(SIGN_IN_WORD)?.length ?? 0;
  return beyondAscii <= 0.25 * characters && signs <= 0.005 * characters;
}

/** Text as it is: line ends made equal, more than one empty line made one. */
export function plainText(source: string): string {
  // Looks behind, so that a gap inside a line is tried once and not from each of its places.
  const trimmed = source.replace(/\r\n?/g, '\n').replace(/(?<![^\S\n\t])[^\S\n\t]+$/gm, '');
  return trimmed.replace(/\n{3,}/g, '\n\n').trim();
}
