// A corpus small enough to run all three notebooks on in seconds, written for these tests, and the means to run them.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve('.');
/** In the order of the workflow. */
export const NOTEBOOKS = ['generate_dataset', 'finetune', 'evaluate'];

export const BAKERY = `# The Corner Oven

## Opening hours

The Corner Oven is a bakery on Tanner Street in Millbridge. It opens at half past six from Tuesday to Saturday and stays closed on Sunday and Monday. On market days, which fall on the first Thursday of each month, a second counter is set up in the yard so that nobody waits longer than ten minutes.

## Sourdough

The sourdough starter is fed with rye flour twice a day and kept at nineteen degrees in an earthenware crock. Dough is mixed in the afternoon, folded four times by hand and left in the cold room overnight. Loaves are baked on stone at two hundred and forty degrees for forty minutes, with steam for the first ten.

## Flour

Wheat comes from three farms in the valley, none of them further than thirty kilometres away. The mill at Sorrel Weir grinds it between granite stones once a week, and the bakery refuses any delivery whose moisture exceeds fourteen percent. In a wet summer the miller blends in some of the previous harvest.

## Apprentices

Two apprentices join the bakery every autumn for a training of three years. In the first year they learn to shape rolls and to keep the oven clean; in the second they take charge of the cold room; in the third they plan a whole night shift by themselves. The examination is held by the guild in Easton.

## Returns

Bread that is left over in the evening goes to the night shelter behind the station. What the shelter cannot use is dried, ground and sold as crumbs in paper bags, so that less than one loaf in a hundred is thrown away.
`;

export const OBSERVATORY = `# Kestrel Hill Observatory

## The telescope

The main telescope of Kestrel Hill has a mirror of sixty centimetres, ground by volunteers over two winters. It rests on a concrete pier that stands free of the floor, for the footsteps of visitors would otherwise shake the image. The dome turns on eighteen rubber wheels and needs four minutes for a full circle.

## Public evenings

Visitors are welcome on Friday evenings between October and March, if the sky is clear. A flag on the gate shows by four in the afternoon whether the evening takes place. Groups of more than twelve people are asked to write two weeks ahead, because the stairs are narrow and the platform holds few.

## The logbook

Every observation is written into a logbook with the time, the temperature and the name of the observer. Volumes older than twenty years are kept in the county archive at Easton, where a copy may be read on request. The oldest entry describes a comet that was seen through a break in the clouds in spring.

## Light

The villages around the hill have agreed to switch their street lamps off after eleven. Lamps that must stay lit, such as those at the crossing, carry amber shades that keep the light below the horizon. Since then the faintest stars that can be seen from the terrace have become half a magnitude fainter.

## Repairs

The mirror is washed once a year with distilled water and is given a new coat of aluminium every sixth year. During those five weeks the smaller refractor in the east wing takes its place, and the public evenings are shortened to an hour.
`;

export const GARDEN = `# Harbour Street Garden

## Plots

The garden on Harbour Street has forty plots of twenty-five square metres each. A plot is let for a year and costs thirty-six crowns, tools and water included. Whoever leaves a plot untended for eight weeks receives a letter, and after a second letter the plot goes to the next name on the waiting list.

## Water

Rain from the roof of the old boathouse is gathered in two tanks that hold nine thousand litres together. In dry months the tanks are filled up from the canal by a hand pump, since drinking water may not be used for watering. The valves are closed in November so that no pipe bursts in the frost.

## Bees

Three hives stand on the south wall, cared for by a retired teacher who comes every second day in summer. The honey is shared among the members at the harvest supper in September. Spraying against insects is forbidden on all plots while the lime trees flower, for the sake of the hives.

## Compost

Green waste is brought to the bays behind the shed and turned by the members in rotation. A load needs seven months to become soil, and a thermometer on a long rod tells whether its middle is warm enough. Meat, bread and coloured paper are not allowed, because they draw rats from the quay.

## Children

A school class works on the two plots nearest the gate and keeps what it grows. The children measure the height of the sunflowers every Wednesday and hang the curve up in the shed, where visitors may compare it with those of earlier years.
`;

export const FERRY = `# The Sallow Ferry

## Crossing

The Sallow ferry carries twelve cars and sixty passengers across the estuary in nineteen minutes. It leaves the north slip on the hour and the south slip at half past, from six in the morning until the church clock strikes ten. In fog it waits until the far beacon can be counted three times in a row.

## Fares

A foot passenger pays two crowns and a car nine, driver included; bicycles cross for nothing. Islanders carry a blue card that is stamped at the kiosk and halves every fare. Whoever misses the last boat may sleep on the benches of the waiting room, which is heated until midnight.

## Engine

Two diesel engines of ninety kilowatts turn the paddle shafts through a chain that is oiled each noon. The older of the two came from a fishing boat that was broken up at Redwharf. A mechanic from the yard listens to both of them every Monday with a wooden rod held against the casing.

## Crew

The captain, a deckhand and a ticket seller make up a shift of seven hours. New hands learn to throw the line over a bollard at eight paces before they are let on deck. In August two students help with the queue and sell lemonade from a cart beside the kiosk.
`;

/** Questions about the garden, each answered by its quote. */
export const GOLDEN = [
  ['How much does it cost to rent a plot for a year?', 'costs thirty-six crowns', 'number', 'Plots'],
  ['Where is rainwater stored?', 'is gathered in two tanks', 'where', 'Water'],
  ['When is the honey given out?', 'at the harvest supper in September', 'when', 'Bees'],
  ['Why may meat not be put on the compost?', 'because they draw rats from the quay', 'why', 'Compost'],
  ['What do the pupils record each week?', 'measure the height of the sunflowers', 'what', 'Children'],
].map(([question, evidence, type, section]) => ({ question, evidence, type, section }));

/** What a run left behind. */
export interface NotebookRun {
  /** Exit code of the headless run. */
  code: number | null;
  /** All it printed. */
  log: string;
  notebook: Notebook;
}

export interface Notebook {
  metadata: Record<string, unknown>;
  cells: { cell_type: string; id: string; source: string | string[]; outputs?: Output[] }[];
}

interface Output {
  output_type: string;
  name?: string;
  text?: string | string[];
  data?: Record<string, unknown>;
}

export function readNotebook(file: string): Notebook {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/**
 * Writes a copy of a notebook into `folder`, which lies inside the project: notebooks find the library from where they
 * are.
 * @param edits how a cell starts, what stands there once, and what takes its place
 */
export function edited(name: string, folder: string, edits: [start: string, before: string, after: string][]): string {
  const notebook = readNotebook(path.join(ROOT, `notebooks/${name}.ipynb`));
  for (const [start, before, after] of edits) {
    const cell = notebook.cells.find(({ source }) => [source].flat().join('').startsWith(start));
    if (!cell) throw new Error(`${name}.ipynb has no cell that starts with "${start}".`);
    const parts = [cell.source].flat().join('').split(before);
    if (parts.length !== 2) throw new Error(`${name}.ipynb, "${start}": "${before}" must stand there once.`);
    cell.source = parts.join(after);
  }
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.ipynb`);
  fs.writeFileSync(file, JSON.stringify(notebook));
  return file;
}

/** The HTML and text of all outputs, in order. */
export function outputTexts({ cells }: Notebook): string[] {
  return cells
    .flatMap(({ outputs }) => outputs ?? [])
    .map(({ text, data }) => [text ?? data?.['text/html'] ?? data?.['text/plain'] ?? ''].flat().join(''));
}

/** Errors and warnings among the outputs. */
export const complaints = ({ cells }: Notebook): Output[] =>
  cells
    .flatMap(({ outputs }) => outputs ?? [])
    .filter(({ output_type, name }) => output_type === 'error' || name === 'stderr');

/** Titles of the figures, in order. */
export function figureTitles(notebook: Notebook): string[] {
  return outputTexts(notebook)
    .filter((html) => html.startsWith('<div class="embedding-figure">'))
    .map((html) => /<img alt="([^"]*)"/.exec(html)![1]);
}

/** One workplace of the three notebooks: its documents, settings and results are below `folder`, its home too. */
export class Workplace {
  readonly folder: string;
  readonly env: Record<string, string>;

  constructor(folder: string, settings: Record<string, string>) {
    this.folder = folder;
    const home = this.path('home');
    fs.mkdirSync(home, { recursive: true });
    // Nothing of the caller's environment but the means to run programs: a setting or a key there must not change a test.
    const inherited = ['PATH', 'LANG', 'TMPDIR', 'SystemRoot'].filter((name) => process.env[name]);
    this.env = {
      ...Object.fromEntries(inherited.map((name) => [name, process.env[name] as string])),
      HOME: home,
      DATA_DIR: this.path('data'),
      TRAIN_DATASET: this.path('data/train_dataset.json'),
      VAL_DATASET: this.path('data/val_dataset.json'),
      TEST_DATASET: this.path('data/test_dataset.json'),
      TEST_FILES: ',', // none, unless a test names some
      OUTPUT_DIR: this.path('exp_finetune'),
      FINETUNED_MODEL: this.path('exp_finetune'),
      RESULTS_DIR: this.path('results'),
      CHUNK_SIZE: '100',
      CHUNK_OVERLAP: '10',
      EPOCHS: '1',
      BATCH_SIZE: '4',
      MAX_SEQ_LENGTH: '64',
      WINDOW_STRIDE: '20',
      EVALUATION_STEPS: '2',
      ...settings,
    };
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, content: string): string {
    const file = this.path(name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    return file;
  }

  readJson(name: string) {
    return JSON.parse(fs.readFileSync(this.path(name), 'utf8'));
  }

  /** Executes a notebook as `npm run notebook` does; `notebook` is one of `notebooks/`, or another file inside the project. */
  async run(
    name: string,
    settings: Record<string, string> = {},
    notebook = path.join(ROOT, `notebooks/${name}.ipynb`),
  ): Promise<NotebookRun> {
    const output = this.path(`runs/${name}.ipynb`);
    fs.mkdirSync(path.dirname(output), { recursive: true });
    const child = spawn(
      path.join(ROOT, '.venv/bin/python'),
      [path.join(ROOT, 'scripts/execute_notebook.py'), notebook, output],
      { env: { ...this.env, ...settings }, cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let log = '';
    child.stdout.on('data', (data) => {
      log += data;
    });
    child.stderr.on('data', (data) => {
      log += data;
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, log, notebook: readNotebook(output) };
  }

  /** Executes the three, one after the other; `find` gives another file for a notebook's name, or none. */
  async runAll(find?: (name: string) => string | undefined): Promise<Record<string, NotebookRun>> {
    const runs: Record<string, NotebookRun> = {};
    for (const name of NOTEBOOKS) {
      runs[name] = await this.run(name, {}, find?.(name));
      if (runs[name].code !== 0) throw new Error(`${name} failed:\n${runs[name].log}`);
    }
    return runs;
  }
}
