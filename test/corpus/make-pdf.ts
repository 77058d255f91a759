// Small PDFs for the tests, made on the spot.
import { createRequire } from 'node:module';
import type { TDocumentDefinitions } from 'pdfmake/interfaces';

// Its types describe the browser build; in Node it is one CommonJS object.
const pdfmake = createRequire(`${process.cwd()}/package.json`)('pdfmake');
pdfmake.setFonts({
  Times: { normal: 'Times-Roman', bold: 'Times-Bold', italics: 'Times-Italic', bolditalics: 'Times-BoldItalic' },
});
pdfmake.setUrlAccessPolicy(() => false);
pdfmake.setLocalAccessPolicy((file: string) => file.startsWith('Times-'));

export function makePdf(definition: TDocumentDefinitions): Promise<Buffer> {
  return pdfmake.createPdf({ defaultStyle: { font: 'Times' }, ...definition }).getBuffer();
}

/** A PDF of these objects, numbered from 1, the first the catalog: for what pdfmake does not write. */
export function assemblePdf(objects: string[]): Buffer {
  let text = '%PDF-1.7\n';
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const xref = `xref\n0 ${offsets.length + 1}\n0000000000 65535 f \n${offsets.join('')}`;
  const trailer = `trailer\n<</Size ${offsets.length + 1} /Root 1 0 R>>\nstartxref\n${text.length}\n%%EOF`;
  return Buffer.from(text + xref + trailer, 'latin1');
}

/** One page of text for each entry, written in `font`; an entry is a PDF string, such as `(Tides)` or `<706f>`. */
export function pagesPdf(strings: string[], font: string, ...more: string[]): Buffer {
  // Objects: catalog, pages, font, what the font needs; then a page and its content in turns.
  const first = 4 + more.length;
  const kids = strings.map((_, i) => `${first + 2 * i} 0 R`);
  const pages = strings.flatMap((string, i) => {
    const content = `BT /F 20 Tf 50 700 Td ${string} Tj ET`;
    return [
      `<</Type/Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents ${first + 2 * i + 1} 0 R /Resources <</Font <</F 3 0 R>>>>>>`,
      `<</Length ${content.length}>>\nstream\n${content}\nendstream`,
    ];
  });
  const tree = `<</Type/Pages /Kids [${kids.join(' ')}] /Count ${strings.length}>>`;
  return assemblePdf(['<</Type/Catalog /Pages 2 0 R>>', tree, font, ...more, ...pages]);
}
