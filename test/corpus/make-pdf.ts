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
