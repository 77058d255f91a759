// npm run test:browser: the notebooks in Jupyter Lab in Chromium, as a reader uses them. Pictures of what is seen go to runs/browser/.
// Exit code 0 if every check holds.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { BAKERY, GARDEN, GOLDEN, OBSERVATORY, Workplace } from '../notebooks/slice.ts';
import { findChromium, Lab, startLab } from './lab.mjs';
import { joinWords, typeAndSearch } from './search.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'runs', 'browser');
const NAMES = ['generate_dataset', 'finetune', 'evaluate'];

/** Copies without outputs, inside the project, for Lab saves what it runs. */
function copyNotebooks() {
  fs.mkdirSync(path.join(FOLDER, 'notebooks'), { recursive: true });
  fs.copyFileSync(path.join(ROOT, 'notebooks/README.md'), path.join(FOLDER, 'notebooks/README.md'));
  for (const name of NAMES) {
    const notebook = JSON.parse(fs.readFileSync(path.join(ROOT, `notebooks/${name}.ipynb`), 'utf8'));
    for (const cell of notebook.cells) {
      if (cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
    }
    fs.writeFileSync(path.join(FOLDER, `notebooks/${name}.ipynb`), JSON.stringify(notebook));
  }
}

let lab;
const results = [];
/** Words on the command line choose the checks whose titles hold them; the first ones are always needed. */
const chosen = process.argv.slice(2);
async function check(title, body) {
  if (chosen.length > 0 && !/Run All/.test(title) && !chosen.some((word) => title.includes(word))) return;
  const started = Date.now();
  try {
    await body();
    results.push(true);
    console.log(`ok    ${title} (${((Date.now() - started) / 1000).toFixed(0)} s)`);
  } catch (error) {
    results.push(false);
    await lab?.picture(`failed-${results.length}`).catch(() => {});
    console.log(`FAIL  ${title}\n${error.stack.replace(/^/gm, '      ')}`);
  }
}

function assertAllRan(prompts) {
  assert.ok(prompts.length > 0);
  assert.deepEqual(
    prompts.filter((prompt) => !/\d/.test(prompt)),
    [],
    'every cell has a number',
  );
}

function assertDrawn(figures, titles) {
  assert.ok(
    titles.every((title) => figures.some((figure) => figure.title === title)),
    JSON.stringify(figures),
  );
  for (const { title, traces, marks } of figures) {
    assert.ok(traces.length > 0, `${title} has traces`);
    assert.ok(marks > 0, `${title} shows something`);
  }
}

findChromium();
fs.rmSync(FOLDER, { recursive: true, force: true });
copyNotebooks();
const place = new Workplace(path.join(FOLDER, 'place'), {
  QUESTION_GENERATOR: 'offline',
  JUPYTER_CONFIG_DIR: path.join(FOLDER, 'jupyter', 'config'),
  JUPYTER_DATA_DIR: path.join(FOLDER, 'jupyter', 'data'),
});
place.write('docs/garden.questions.json', JSON.stringify(GOLDEN));
place.env.TRAIN_FILES = [place.write('docs/bakery.md', BAKERY), place.write('docs/observatory.md', OBSERVATORY)].join();
place.env.VAL_FILES = place.write('docs/garden.md', GARDEN);
// A setting in the environment would outdo the one in the cell, which this test changes.
for (const name of ['EPOCHS', 'TOP_K']) delete place.env[name];

const server = await startLab(ROOT, place.env);
try {
  lab = await Lab.open(server.address, FOLDER);
  const { page } = lab;

  await check('the start page shows the three notebooks in order, and nothing pops up', async () => {
    const links = page.locator('.jp-RenderedMarkdown a', { hasText: /^(generate_dataset|finetune|evaluate)$/ });
    await links.first().waitFor();
    await page.waitForTimeout(2000);
    await lab.picture('start-page');
    assert.deepEqual(await links.allTextContents(), NAMES);
    assert.equal(await page.locator('.jp-Dialog, .Toastify__toast').count(), 0);
  });

  const FIGURES = {
    generate_dataset: ['Length of the chunks'],
    finetune: ['Training loss and evaluations', 'Similarity of questions and chunks in one batch', 'Time per stage'],
    evaluate: [
      'Models compared',
      'Hit rate over k',
      'Rank of the right chunk, question by question',
      'Map of chunks and questions',
    ],
  };
  for (const name of NAMES) {
    await check(`${name}: Run All, without a dialog; its figures are live`, async () => {
      await lab.openNotebook(`runs/browser/notebooks/${name}.ipynb`);
      assert.equal(await page.locator('.jp-Dialog').count(), 0);
      await lab.runAll();
      await lab.picture(name);
      assert.deepEqual(await lab.errors(), []);
      assertAllRan(await lab.prompts());
      assertDrawn(await lab.figures(), FIGURES[name]);
      await lab.pictureOutputs(name);
      assert.deepEqual(await lab.cutOffCells(), []);
      for (const theme of ['Dark', 'Light']) await lab.pictureScreens(name, theme);
    });
  }

  await check('evaluate: words are joined to those they found', () => joinWords(lab));

  await check('evaluate: one types and searches, in the page alone', async () => {
    await typeAndSearch(lab, ['When is the honey shared?', 'Why may coloured paper not be composted?']);
    assert.deepEqual(await lab.errors(), []);
  });

  /** A last cell that prints how many tensors TensorFlow.js holds; it runs with the others. */
  const countTensors = async () => {
    await lab.newCell();
    await page.keyboard.insertText("console.log(fe.tf.memory().numTensors, 'tensors');");
  };
  const tensors = async () => Number((await lab.cell('numTensors').innerText()).match(/(\d+) tensors/)?.[1]);
  let tensorsAfterOneRun;

  await check('evaluate: a changed setting, run again, changes the result', async () => {
    await lab.edit("setting('TOP_K'", "'TOP_K', 5", "'TOP_K', 2");
    await countTensors();
    await lab.runAll();
    tensorsAfterOneRun = await tensors();
    assert.ok(tensorsAfterOneRun > 0);
    assert.deepEqual(await lab.errors(), []);
    assertAllRan(await lab.prompts());
    assert.ok((await page.locator('.jp-OutputArea th').allTextContents()).includes('hit rate@2'));
  });

  await check('evaluate: a bad setting is refused in a sentence', async () => {
    await lab.edit("setting('TOP_K'", "'TOP_K', 2", "'TOP_K', 0");
    await lab.runAll();
    const errors = (await lab.errors()).join('\n');
    await lab.picture('bad-setting');
    assert.match(errors, /TOP_K is 0, but must be a whole number from 1 to 100/);
  });

  await check('evaluate: run again and again, it holds no more tensors', async () => {
    await lab.edit("setting('TOP_K'", "'TOP_K', 0", "'TOP_K', 2");
    await lab.runAll();
    assert.equal(await tensors(), tensorsAfterOneRun);
  });

  await check('Tab completes the names of the library, Shift-Tab shows types and words', async () => {
    await lab.newCell();
    await page.keyboard.type('fe.loadM', { delay: 30 });
    await page.keyboard.press('Tab');
    const cell = page.locator('.jp-CodeCell').last().locator('.cm-content');
    const completer = page.locator('.jp-Completer-item', { hasText: 'loadModel' });
    await Promise.race([
      completer.first().waitFor({ timeout: 20_000 }),
      page.waitForFunction((node) => node.textContent.includes('loadModel'), await cell.elementHandle(), {
        timeout: 20_000,
      }),
    ]);
    await lab.picture('completion');
    if (await completer.count()) await page.keyboard.press('Enter');
    assert.match(await cell.innerText(), /fe\.loadModel/);
    await page.keyboard.press('Shift+Tab');
    const tooltip = page.locator('.jp-Tooltip');
    await tooltip.waitFor({ timeout: 20_000 });
    await lab.picture('tooltip');
    const words = await tooltip.innerText();
    assert.match(words, /Promise<(?:fe\.)?EmbeddingModel>/);
    assert.match(words, /folder/i);
  });

  await check(
    'finetune: a training that is stopped keeps the best model, says so, and the next cells run',
    async () => {
      await lab.openNotebook('runs/browser/notebooks/finetune.ipynb');
      await lab.menu('Kernel', 'Restart Kernel…');
      await page.locator('.jp-Dialog-button.jp-mod-warn, .jp-Dialog-button.jp-mod-accept').first().click();
      await page.waitForTimeout(1000);
      await lab.kernelIsReady();
      await lab.edit("setting('EPOCHS'", 'fe.RECIPES[RECIPE].epochs', '100');
      await lab.menu('Run', 'Run All Cells');
      const training = lab.cell('fe.trainLive');
      await training.getByText(/Training: ([4-9]|\d\d+)\/\d+/).waitFor({ timeout: 120_000 });
      await lab.picture('training');
      await page.locator('[data-command="notebook:interrupt-kernel"], button[title^="Interrupt"]').first().click();
      await lab.waitUntilDone();
      await lab.picture('stopped');
      assert.equal(await page.locator('.jp-Dialog').count(), 0, 'the kernel lives');
      const shown = async (cell) => (await cell.locator('.jp-OutputArea-output').allTextContents()).join('\n');
      assert.match(await shown(training), /Training: \d+ of \d+ .*stopped; the best model so far is kept/);
      assert.match(
        await shown(lab.cell('result.evaluations.map')),
        /Kept in .*: the (model after step \d+|earlier model)/,
      );
      assert.ok(fs.existsSync(place.path('exp_finetune/model.safetensors')));
      // The cell ended well, so the rest of Run All went on.
      assert.deepEqual(await lab.errors(), []);
      assertAllRan(await lab.prompts());
      assertDrawn(await lab.figures(), FIGURES.finetune);
    },
  );

  await check('finetune: trained again and again in one kernel, it holds no more tensors', async () => {
    await lab.edit("setting('EPOCHS'", "'EPOCHS', 100", "'EPOCHS', 1");
    await countTensors();
    await lab.runAll();
    const afterOneRun = await tensors();
    assert.ok(afterOneRun > 0);
    await lab.runAll();
    assert.deepEqual(await lab.errors(), []);
    assert.equal(await tensors(), afterOneRun);
  });
} finally {
  await lab?.browser.close();
  await server.stop();
}
const failed = results.filter((passed) => !passed).length;
console.log(`\n${results.length - failed} passed, ${failed} failed; pictures are in runs/browser/`);
process.exit(failed > 0 ? 1 : 0);
