// What a reader does with evaluate's outputs that live in the page: the figure of matched words, and the search box.
import assert from 'node:assert/strict';
import path from 'node:path';

/** Once in the light theme, once in the dark one. */
async function inThemes(lab, look) {
  for (const theme of ['Light', 'Dark']) {
    await lab.menu('Settings', 'Theme', `JupyterLab ${theme}`);
    await lab.page.waitForTimeout(1500); // Lab covers itself meanwhile
    await look(theme.toLowerCase());
  }
}

/** Hovers over a question's first word: a line in each column leads to what it found. */
export async function joinWords(lab) {
  await inThemes(lab, async (theme) => {
    const figure = await lab.reach('.matched-words');
    const word = figure.locator('[data-finds]').first();
    await word.hover();
    const curves = await figure.locator('svg path').getAttribute('d');
    assert.equal(curves.match(/M/g).length, 2, curves);
    const outlined = await figure.locator('[style*="outline:"]').allTextContents();
    assert.equal(outlined.length, 3);
    await figure.screenshot({ path: path.join(lab.pictures, `matched-words-${theme}.png`) });
  });
}

/** Types a question, key by key, and looks at what is found while no kernel is asked and nothing is fetched from elsewhere. */
export async function typeAndSearch(lab, questions) {
  const { page } = lab;
  const elsewhere = [];
  const note = (request) => {
    if (/^https?:/.test(request.url()) && new URL(request.url()).host !== lab.address.host)
      elsewhere.push(request.url());
  };
  page.on('request', note);
  const box = await lab.reach('.search-box label');
  const status = page.locator('.search-box [role="status"]');
  const cells = await page.locator('.jp-Cell').count();
  await box.locator('input').click();
  await status.filter({ hasText: /Ready|do not run/ }).waitFor({ timeout: 120_000 });
  const found = [];
  for (const question of questions) {
    await box.locator('input').fill('');
    await page.keyboard.type(question, { delay: 20 });
    await page.locator('.search-box caption', { hasText: `“${question}”` }).waitFor({ timeout: 60_000 });
    found.push(await page.locator('.search-box tbody').innerText());
    assert.ok((await page.locator('.search-box mark').first().innerText()).length > 20);
  }
  assert.notEqual(found[0], found[1], 'another question, another result');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.ok((await page.locator('.search-box li').count()) > 0, 'a chunk has neighbours');
  assert.equal(await page.locator('.jp-Cell').count(), cells, 'no key was taken for a shortcut');
  await inThemes(lab, (theme) =>
    page.locator('.search-box').screenshot({ path: path.join(lab.pictures, `search-box-${theme}.png`) }),
  );
  page.off('request', note);
  assert.deepEqual(elsewhere, []);
  return found;
}
