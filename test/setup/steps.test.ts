// The steps of set-up: done once, done again when their inputs change or a run was interrupted, and errors that help.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
// @ts-expect-error the scripts are plain JavaScript, without declarations
import * as setup from '../../scripts/setup/steps.mjs';

const { fingerprint, run, SetupError } = setup;

let folder: string;
let printed: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'setup-'));
  printed = '';
  const keep = (text: unknown) => {
    printed += text;
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(console, 'log').mockImplementation((text) => keep(`${text}\n`));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

const inFolder = (name: string) => path.join(folder, name);
const runSteps = (steps: unknown[]) => setup.runSteps(steps, inFolder('cache/lock'));

/** A step that copies `input` to `output`, counting how often. */
function copyStep() {
  const step = {
    title: 'a copy',
    stamp: inFolder('stamps/copy'),
    inputs: () => fingerprint([inFolder('input')]),
    makes: [inFolder('output')],
    runs: 0,
    run: async (): Promise<string | undefined> => {
      step.runs++;
      fs.copyFileSync(inFolder('input'), inFolder('output'));
      return undefined;
    },
    advice: 'write the file input.',
  };
  fs.writeFileSync(inFolder('input'), 'first');
  return step;
}

describe('runSteps', () => {
  it('does a step, says so with its time and remark, and leaves it alone and unmentioned the next time', async () => {
    const step = copyStep();
    const copy = step.run;
    step.run = async () => {
      await copy();
      return 'one file';
    };
    await runSteps([step]);
    expect(fs.readFileSync(inFolder('output'), 'utf8')).toBe('first');
    expect(printed).toMatch(/^set-up: a copy … \d+\.\d s \(one file\)\n$/);
    printed = '';
    await runSteps([step]);
    expect(step.runs).toBe(1);
    expect(printed).toBe('');
  });

  it('does it again when an input changed', async () => {
    const step = copyStep();
    await runSteps([step]);
    fs.writeFileSync(inFolder('input'), 'second');
    await runSteps([step]);
    expect(step.runs).toBe(2);
    expect(fs.readFileSync(inFolder('output'), 'utf8')).toBe('second');
  });

  it('does it again when what it made is gone', async () => {
    const step = copyStep();
    await runSteps([step]);
    fs.rmSync(inFolder('output'));
    await runSteps([step]);
    expect(step.runs).toBe(2);
  });

  it('does it again after a run that ended half-way, though an older one had succeeded', async () => {
    const step = copyStep();
    await runSteps([step]);
    fs.writeFileSync(inFolder('input'), 'second');
    const copy = step.run;
    step.run = async () => {
      throw new SetupError('cut off');
    };
    await expect(runSteps([step])).rejects.toThrow('cut off');
    // Back to the inputs of the success: what is there now may be half of the second.
    fs.writeFileSync(inFolder('input'), 'first');
    step.run = copy;
    await runSteps([step]);
    expect(step.runs).toBe(2);
  });

  it('keeps to the order, and starts no step behind one that failed', async () => {
    const done: string[] = [];
    const step = (title: string, fails = false) => ({
      title,
      stamp: inFolder(title),
      inputs: () => '',
      run: async () => {
        done.push(title);
        if (fails) throw new SetupError('no');
      },
      advice: 'wait.',
    });
    await expect(runSteps([step('one'), step('two', true), step('three')])).rejects.toThrow(SetupError);
    expect(done).toEqual(['one', 'two']);
    expect(fs.existsSync(inFolder('one'))).toBe(true);
    expect(fs.existsSync(inFolder('two'))).toBe(false);
    // The next run goes on where this one stopped.
    await runSteps([step('one'), step('two'), step('three')]);
    expect(done).toEqual(['one', 'two', 'two', 'three']);
  });

  it('names the step that failed, why, and what to do', async () => {
    const step = copyStep();
    step.run = async () => {
      return run([process.execPath, '-e', 'console.error("no such host"); process.exit(3)']);
    };
    const error = await runSteps([step]).catch((e: Error) => e);
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toMatch(/^Set-up stopped at: a copy\n/);
    expect(error.message).toContain('failed with exit status 3:\n    no such host\n');
    expect(error.message).toContain('What to do: write the file input.\n  Then run the same command again');
    expect(printed).toContain('set-up: a copy … failed\n');
  });

  it('takes a folder that cannot be written to for a matter of the user', async () => {
    const step = copyStep();
    step.run = async () => {
      fs.mkdirSync(inFolder('input/below-a-file'));
      return undefined;
    };
    const error = await runSteps([step]).catch((e: Error) => e);
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toMatch(/^Set-up stopped at: a copy\n {2}ENOTDIR.*\n {2}What to do: write the file input\./);
    expect(printed).toContain('set-up: a copy … failed\n');
  });

  it('takes no lock where nothing is to be done, and says where it cannot take one', async () => {
    const step = copyStep();
    await runSteps([step]);
    fs.rmSync(inFolder('cache'), { recursive: true });
    fs.writeFileSync(inFolder('cache'), '');
    await runSteps([step]);
    fs.writeFileSync(inFolder('input'), 'second');
    const error = await runSteps([step]).catch((e: Error) => e);
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toMatch(/^Set-up cannot start: .*cache.*\n {2}What to do: check that the project folder/);
    expect(step.runs).toBe(1);
  });

  it('does not hide a mistake in a step behind advice', async () => {
    const step = copyStep();
    step.run = async () => {
      throw new TypeError('a bug');
    };
    await expect(runSteps([step])).rejects.toThrow(TypeError);
  });
});

describe('run', () => {
  const node = (code: string, options = {}) => run([process.execPath, '-e', code], options);

  it('returns what the command printed, on either stream, and passes folder and environment on', async () => {
    expect(await node('console.log("out"); console.error("err")')).toMatch(/out[\s\S]*err|err[\s\S]*out/);
    const code = 'console.log(process.cwd(), process.env.COLOUR)';
    const real = fs.realpathSync(folder);
    expect(await node(code, { cwd: real, env: { COLOUR: 'teal' } })).toBe(`${real} teal\n`);
  });

  it('shows the first and last lines of a long failure', async () => {
    const error = await node('for (let i = 1; i <= 100; i++) console.log("line " + i + "."); process.exit(1)').catch(
      (e: Error) => e,
    );
    const lines = error.message.split('\n').map((line: string) => line.trim());
    expect(lines).toContain('line 1.');
    expect(lines.at(-1)).toBe('line 100.');
    expect(lines).toContain('…');
    expect(lines).not.toContain('line 50.');
    expect(lines.length).toBeLessThan(25);
  });

  it('ends a command that takes too long, and says so', async () => {
    const late = node('console.log("fetching"); setTimeout(() => {}, 60_000)', { timeoutSeconds: 0.6 });
    await expect(late).rejects.toThrow(/was ended: it was not done after 0.01 minutes:\n {4}fetching$/);
  });

  it('ends what such a command has started, too, and does not wait for it', async () => {
    const file = inFolder('pid');
    await expect(run(['sh', '-c', `sleep 60 & echo $! > ${file}; wait`], { timeoutSeconds: 0.5 })).rejects.toThrow(
      'was ended: it was not done',
    );
    const pid = fs.readFileSync(file, 'utf8').trim();
    // It has ended, or waits as a zombie for its status to be asked for.
    expect(fs.existsSync(`/proc/${pid}/exe`) && fs.readlinkSync(`/proc/${pid}/exe`)).toBeFalsy();
  }, 10_000);

  it('says which program is missing', async () => {
    await expect(run(['no-such-program-here'])).rejects.toThrow(/no-such-program-here could not be started \(.*ENOENT/);
  });

  it('does not wait for input', async () => {
    expect(await node('process.stdin.on("end", () => console.log("ended")).resume()')).toBe('ended\n');
  });
});

describe('fingerprint', () => {
  it('depends on every file and text, and on where one ends and the next begins', () => {
    fs.writeFileSync(inFolder('a'), 'xy');
    fs.writeFileSync(inFolder('b'), '');
    const both = fingerprint([inFolder('a'), inFolder('b')]);
    expect(fingerprint([inFolder('a'), inFolder('b')])).toBe(both);
    fs.writeFileSync(inFolder('a'), 'x');
    fs.writeFileSync(inFolder('b'), 'y');
    expect(fingerprint([inFolder('a'), inFolder('b')])).not.toBe(both);
    expect(fingerprint([], 'ab', 'c')).not.toBe(fingerprint([], 'a', 'bc'));
  });

  it('takes a missing file for an empty one', () => {
    fs.writeFileSync(inFolder('empty'), '');
    expect(fingerprint([inFolder('missing')])).toBe(fingerprint([inFolder('empty')]));
  });
});
