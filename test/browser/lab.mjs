// Jupyter Lab and Chromium for the browser test: a server on a free port, and the few things that a person does in a notebook.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const SECONDS = 1000;

/** Chromium's program: `CHROMIUM`, or where systems put it. */
export function findChromium() {
  const candidates = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  const found = candidates.find((file) => file && fs.existsSync(file));
  if (found) return found;
  throw new Error(
    'Chromium was not found. Install it (on Debian and Ubuntu: apt-get install chromium), or set CHROMIUM to the path of Chromium or Chrome.',
  );
}

/** Starts `npm run lab`'s script; the address, with its token, comes from what it prints. */
export async function startLab(root, env) {
  const child = spawn(process.execPath, [path.join(root, 'scripts/lab.mjs'), '--no-browser', '--port=0'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const address = await new Promise((resolve, reject) => {
    const read = (data) => {
      log += data;
      const found = /http:\/\/127\.0\.0\.1:\d+\/\S+token=\w+/.exec(log)?.[0];
      if (found) resolve(new URL(found));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('close', (code) => reject(new Error(`Jupyter Lab ended with exit status ${code}:\n${log}`)));
  });
  const stop = () =>
    new Promise((resolve) => {
      child.removeAllListeners('close');
      child.on('close', resolve);
      child.kill('SIGTERM');
    });
  return { address, stop, log: () => log };
}

const MOST_CRASHES = 4;

/** One page of Lab, in a window of a laptop's size. */
export class Lab {
  static async open(address, pictures) {
    const browser = await chromium.launch({
      executablePath: findChromium(),
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    const lab = Object.assign(new Lab(), { browser, page, address, pictures });
    await lab.goTo(address);
    await lab.page.waitForSelector('.jp-FileBrowser, .jp-MarkdownViewer', { timeout: 60 * SECONDS });
    return lab;
  }

  /** Opens an address, in a new tab where Chromium's own crashes while loading, as it does now and then on a virtual machine. */
  async goTo(url) {
    for (let crashes = 0; ; crashes++) {
      try {
        await this.page.goto(url.href);
        return;
      } catch (error) {
        if (!/crashed/.test(error.message) || crashes === MOST_CRASHES) throw error;
        console.log(`      (the tab crashed while loading ${url.pathname}; a new one is opened)`);
        this.page = await this.page.context().newPage();
      }
    }
  }

  picture(name) {
    return this.page.screenshot({ path: path.join(this.pictures, `${name}.png`) });
  }

  /** A picture of each figure's element and each table, from the top of the notebook to its end. */
  async pictureOutputs(name) {
    const outputs = this.page.locator('.jp-Notebook .jp-OutputArea-output');
    for (let i = 0; i < (await outputs.count()); i++) {
      const output = outputs.nth(i);
      await output.scrollIntoViewIfNeeded();
      await output.screenshot({ path: path.join(this.pictures, `${name}-${String(i + 1).padStart(2, '0')}.png`) });
    }
  }

  /**
   * Scrolls from the top of the notebook to its end, a screen at a time: Lab holds no more of it in the page than is
   * seen. Ends early where `visit` gives false.
   */
  async walk(visit) {
    const panel = this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer').first();
    for (let screen = 0, atEnd = false; !atEnd; screen++) {
      await panel.evaluate((node, at) => node.scrollTo(0, at * (node.clientHeight - 40)), screen);
      await this.page.waitForTimeout(SECONDS);
      if ((await visit(screen + 1)) === false) return;
      atEnd = await panel.evaluate((node) => node.scrollTop + node.clientHeight >= node.scrollHeight - 2);
    }
  }

  /** Scrolls to the first element of a kind. */
  async reach(selector) {
    const found = this.page.locator(selector).first();
    await this.walk(async () => (await found.count()) === 0);
    await found.scrollIntoViewIfNeeded();
    return found;
  }

  /** Pictures of the whole notebook, in the light theme or the dark one. */
  async pictureScreens(name, theme) {
    await this.menu('Settings', 'Theme', `JupyterLab ${theme}`);
    await this.walk((screen) => this.picture(`${name}-${theme.toLowerCase()}-${String(screen).padStart(2, '0')}`));
  }

  /** Beginnings of the code cells that are wider than the window. */
  async cutOffCells() {
    const cut = new Set();
    await this.walk(async () => {
      const found = await this.page
        .locator('.jp-CodeCell .cm-scroller')
        .evaluateAll((boxes) =>
          boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent.slice(0, 80)),
        );
      for (const beginning of found) cut.add(beginning);
    });
    return [...cut];
  }

  async openNotebook(file) {
    // Without the tabs of before, in which the same elements would be found.
    await this.goTo(new URL(`/lab/tree/${file}?reset`, this.address));
    await this.page.waitForSelector('.jp-Notebook .jp-CodeCell', { timeout: 60 * SECONDS });
    await this.kernelIsReady();
  }

  async kernelIsReady() {
    const name = this.page.locator('.jp-NotebookPanel .jp-KernelName', { hasText: 'TypeScript' });
    await name.first().waitFor({ timeout: 60 * SECONDS });
    const idle = this.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]');
    await idle.first().waitFor({ state: 'attached', timeout: 60 * SECONDS });
  }

  async menu(title, ...items) {
    await this.page.locator('.lm-MenuBar-itemLabel', { hasText: new RegExp(`^${title}$`) }).click();
    for (const item of items)
      await this.page.locator('.lm-Menu-itemLabel', { hasText: new RegExp(`^${item}$`) }).click();
  }

  /** Waits until no cell runs or waits to. */
  async waitUntilDone(seconds = 180) {
    await this.page.waitForTimeout(500);
    await this.page.waitForFunction(
      () =>
        ![...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].some((prompt) =>
          prompt.textContent.includes('*'),
        ),
      undefined,
      { timeout: seconds * SECONDS },
    );
    await this.page.waitForTimeout(1000);
  }

  async runAll(seconds) {
    await this.menu('Run', 'Run All Cells');
    await this.waitUntilDone(seconds);
  }

  /** Prompts of all code cells: `[3]:` is one that ran, `[ ]:` one that did not. */
  prompts() {
    return this.page.locator('.jp-CodeCell .jp-InputPrompt').allTextContents();
  }

  /** Errors shown in cells. */
  errors() {
    return this.page
      .locator(
        '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"], .jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]',
      )
      .allTextContents();
  }

  /** Every figure as Plotly has drawn it: its title, the types of its traces, and how many marks stand in its picture. */
  figures() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('.embedding-figure')].map((box) => {
        const plot = box.querySelector('.js-plotly-plot');
        return {
          title: plot?.querySelector('.gtitle')?.textContent ?? '',
          traces: plot?.data?.map(({ type = 'scatter' }) => type) ?? [],
          marks:
            plot?.querySelectorAll(
              ':is(.barlayer, .scatterlayer, .heatmaplayer, .boxlayer, .violinlayer) :is(path, image)',
            ).length ?? 0,
        };
      }),
    );
  }

  cell(text) {
    return this.page.locator('.jp-CodeCell', { hasText: text }).first();
  }

  /** Replaces the text of the cell that holds `text`. */
  async edit(text, from, to) {
    const editor = this.cell(text).locator('.cm-content');
    await editor.click();
    const source = await editor.evaluate(
      (node) => node.cmTile?.view?.state.doc.toString() ?? node.cmView?.view?.state.doc.toString(),
    );
    if (!source?.includes(from)) throw new Error(`no "${from}" in the cell:\n${source}`);
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(source.replace(from, to));
  }

  /** A new cell at the end, with the cursor in it. */
  async newCell() {
    await this.page.locator('.jp-CodeCell').last().locator('.jp-InputPrompt').click();
    await this.page.keyboard.press('b');
    await this.page.keyboard.press('Enter');
  }
}
