// In: nothing. Out: the few lines of script in a search box's output, which load the rest from the Jupyter server.

/**
 * Runs in the reader's page, as source text: it can use nothing outside itself. Finds the boxes, and loads `./page`
 * with what it imports: the same compiled files that run in Node.
 */
export function startBoxes(page: string, packages: Record<string, string>): void {
  const config = document.getElementById('jupyter-config-data')?.textContent;
  const base: string | undefined = document.body.dataset.baseUrl ?? (config && JSON.parse(config).baseUrl);
  if (!base) return; // no Jupyter server: the still result says so
  const server = new URL(`${base.replace(/\/*$/, '/')}files/`, location.href).href;
  const loading = new Map<string, Promise<unknown>>();
  const load = (address: string): Promise<unknown> => {
    const known = loading.get(address) ?? loadNew(address);
    loading.set(address, known);
    return known;
  };
  const loadNew = async (address: string): Promise<unknown> => {
    const answer = await fetch(address, { cache: 'no-cache' });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    const source = await answer.text();
    const needed: Record<string, unknown> = {};
    for (const [, name] of source.matchAll(/require\("([^"]+)"\)/g)) {
      needed[name] = await (packages[name]
        ? import(server + packages[name])
        : load(new URL(`${name}.js`, address).href));
    }
    const exports = {};
    new Function('exports', 'require', source)(exports, (name: string) => needed[name]);
    return exports;
  };
  for (const box of document.querySelectorAll<HTMLElement>('.search-box:not([data-live])')) {
    box.dataset.live = 'true';
    (load(server + page) as Promise<typeof import('./page')>)
      .then(({ start }) => start(box, server, box.dataset.folder as string, (address) => import(address)))
      .catch((error) => {
        delete box.dataset.live;
        const advice = 'Run its cell, in a Jupyter Lab that was started in the project’s folder (npm run lab).';
        box.querySelector('[role="status"]')?.replaceChildren(`The box stays still: ${error.message}. ${advice}`);
      });
  }
}
