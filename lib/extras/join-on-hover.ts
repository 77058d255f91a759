// In: figures of matched words in a page. Out: a question's word, hovered or focused, joined to what it found.

/** Runs in the page, as source text: it can use nothing outside itself. */
export function joinOnHover(): void {
  for (const box of document.querySelectorAll<HTMLElement>('.matched-words:not([data-live])')) {
    box.dataset.live = 'true';
    const style = 'position:absolute;inset:0;width:100%;height:100%;pointer-events:none';
    box.insertAdjacentHTML(
      'beforeend',
      `<svg aria-hidden="true" style="${style}"><path fill="none" stroke="currentColor" stroke-width="1.5"/></svg>` +
        '<style>.matched-words sup { font: .6em sans-serif; opacity: .7 } .matched-words b { border-radius: 3px }</style>',
    );
    const lines = box.querySelector('path') as SVGPathElement;
    let marked: HTMLElement[] = [];
    const join = (event: Event): void => {
      for (const element of marked) element.style.outline = '';
      const { left, top } = box.getBoundingClientRect();
      const word = /over|in$/.test(event.type) && (event.target as Element).closest<HTMLElement>('[data-finds]');
      const targets = word ? (word.dataset.finds as string).split(',') : [];
      const found = targets.map((target, model) => box.querySelector<HTMLElement>(`[data-word="${model}-${target}"]`));
      marked = [word, ...found].filter((element) => element instanceof HTMLElement);
      for (const element of marked) element.style.outline = '2px solid';
      const [from, ...to] = marked.map((element) => element.getBoundingClientRect());
      const curves = to.map((end) => {
        const [x1, y1] = [from.left + from.width / 2 - left, from.bottom - top];
        const [x2, y2] = [end.left + end.width / 2 - left, end.top - top];
        const middle = (y1 + y2) / 2;
        return `M${x1},${y1}C${x1},${middle} ${x2},${middle} ${x2},${y2}`;
      });
      lines.setAttribute('d', curves.join(''));
    };
    for (const type of ['pointerover', 'pointerout', 'focusin', 'focusout']) box.addEventListener(type, join);
  }
}
