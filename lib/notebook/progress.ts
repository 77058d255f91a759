// In: units done so far. Out: one output line that fills up in place, and ends as one compact line.
import { escapeHtml } from './escape';
import { type Content, liveOutput } from './output';

/** A duration in seconds as people write it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const rateText = (rate: number): string => (rate > 0 ? `${rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)}/s` : '');

/**
 * Opens a progress bar: done and total, rate, time left. Updated in place at most 4 times a second. Its functions need
 * no `this`: `update` can be handed over as an `OnProgress`.
 * @param total units in all, if known already; `update` may tell it later
 */
export function progressBar(title: string, total?: number) {
  const started = Date.now();
  let done = 0;
  let all = total;
  let note = '';
  // The pace is that since the first update: what it reports may have been there before, such as answers on disk.
  let first: { done: number; time: number } | undefined;
  const unitsPerSecond = (since = first): number => {
    const seconds = since ? (Date.now() - since.time) / 1000 : 0;
    return since && seconds > 0 ? (done - since.done) / seconds : 0;
  };
  const running = (): Content => {
    const rate = unitsPerSecond();
    const left = all && rate > 0 ? `${formatSeconds((all - done) / rate)} left` : '';
    const count = all ? `${done}/${all}` : `${done}`;
    const text = [`${title}: ${count}`, rateText(rate), left, note].filter(Boolean).join(' · ');
    const bar = all ? `<progress value="${done}" max="${all}" style="width:14em"></progress> ` : '';
    return { html: `<div>${bar}${escapeHtml(text)}</div>`, text };
  };
  const output = liveOutput(running());
  /** Closes the bar, with a remark if given. Needed where the total is not known, harmless elsewhere. */
  const finish = (remark = note): void => {
    const took = `in ${formatSeconds((Date.now() - started) / 1000)}`;
    const short = all && done < all ? `${done} of ${all}` : `${done}`;
    const rate = rateText(unitsPerSecond() || unitsPerSecond({ done: 0, time: started }));
    const text = `${title}: ${short} ${took}${rate && ` (${rate})`}${remark ? ` · ${remark}` : ''}`;
    output.finish({ html: `<div>${escapeHtml(text)}</div>`, text });
  };
  return {
    /** So many done, of so many, and a remark such as the cost so far; the bar closes itself when all are done. */
    update: (newDone: number, newTotal?: number, remark = ''): void => {
      done = newDone;
      note = remark;
      all = newTotal ?? all;
      first ??= { done, time: Date.now() };
      if (all && done >= all) finish();
      else output.update(running);
    },
    finish,
  };
}
