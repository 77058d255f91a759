// In: HTML and its plain-text equivalent. Out: the cell's output (in a tslab kernel) or the terminal's (in plain Node).
import path from 'node:path';
import { escapeHtml } from './escape';

/** One thing to show: as HTML where a notebook shows it, as text in a terminal. */
export interface Content {
  html: string;
  text: string;
}

/** Milliseconds between two updates of a live output. */
const UPDATE_INTERVAL = 250;

/**
 * tslab's display API if this process is a tslab kernel: the kernel's own copy, which holds the connection. Only a
 * kernel loads tslab's Jupyter server, however it was started.
 */
function kernel(): typeof import('tslab') | undefined {
  const server = Object.keys(require.cache).find((file) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file));
  return server && require(path.join(path.dirname(server), 'public.js'));
}

/** Whether this process is a notebook's kernel. */
export const inNotebook = (): boolean => kernel() !== undefined;

/** Shows one output. */
export function show({ html, text }: Content): void {
  const tslab = kernel();
  if (tslab) tslab.display.html(html);
  else process.stdout.write(`${text}\n`);
}

/** Shows one remark to the reader, such as why a step was skipped. */
export function note(text: string): void {
  show({ html: `<p><em>${escapeHtml(text)}</em></p>`, text });
}

/** Shows a text as it is, line breaks kept: a prompt, a file's first lines. */
export function preformatted(text: string, title: string): void {
  const html = `<b>${escapeHtml(title)}</b><pre style="white-space:pre-wrap">${escapeHtml(text)}</pre>`;
  show({ html, text: `${title}\n${text}` });
}

/** Opens an output that is updated in place; its place is taken at once, with `first` in it. */
export function liveOutput(first: Content) {
  const display = kernel()?.newDisplay();
  const terminal = !display && process.stdout.isTTY;
  const draw = (content: Content, final: boolean): void => {
    if (display) display.html(content.html);
    else if (terminal) process.stdout.write(`\r\x1b[2K${content.text}${final ? '\n' : ''}`);
    else if (final) process.stdout.write(`${content.text}\n`);
  };
  draw(first, false);
  let last = Date.now();
  let finished = false;
  return {
    /** Shows `render()`, at most 4 times a second; calls in between are dropped and cost nothing. */
    update(render: () => Content): void {
      if (finished || Date.now() - last < UPDATE_INTERVAL) return;
      draw(render(), false);
      last = Date.now();
    },
    /** Shows the final content, always. Later calls to `update` or `finish` do nothing. */
    finish(content: Content): void {
      if (finished) return;
      finished = true;
      draw(content, true);
    },
  };
}
