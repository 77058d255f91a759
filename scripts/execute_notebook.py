"""Executes a notebook cell by cell, printing progress; writes the executed copy whether or not a cell fails. The last
line says what went wrong, and in which cell.

Usage: execute_notebook.py SOURCE OUTPUT
"""

import html
import os
import pathlib
import re
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

UPDATE_EVERY_SECONDS = 5
# A kernel compiles lib/ first if a source changed.
START_SECONDS = 180
# The errors by which JavaScript reports a mistake in code: their names say something to whoever mends it.
MISTAKES = ("TypeError", "ReferenceError", "SyntaxError")


def plain(data):
    """What a small live output, such as a progress bar, says; figures and tables say too much for one line."""
    page = "".join(data.get("text/html", ""))
    if "<table" in page or "<script" in page or "<img" in page:
        return ""
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.S)).split())


def message_of(cell):
    """What the error that a cell printed says, without its stack, which the executed copy has."""
    printed = [each["text"] for each in cell.outputs if each.get("name") == "stderr"]
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed[-1] if printed else "it did not say why.")
    named = re.search(r"^((?:[A-Z]\w*)?Error)(?: \[\w+\])?: (.*?)(?=^    at |\Z)", text, flags=re.S | re.M)
    if not named:
        return text.strip()
    name, message = named.groups()
    return f"{name}: {message.strip()}" if name in MISTAKES else message.strip()


def heading_above(notebook, index):
    lines = [line for cell in notebook.cells[:index] if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return ([""] + [line.lstrip("# ") for line in lines if line.startswith("#")])[-1]


class Progress(NotebookClient):
    """Prints which cell runs, what its live outputs say meanwhile, and how long it took."""

    printed_at = 0.0

    def start(self, cell):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        self.started = time.monotonic()
        return lines[0][:90] if lines else ""

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] in ("display_data", "update_display_data"):
            line = plain(msg["content"]["data"])
            # A new output says something once, such as where a training goes on; an update will come again.
            is_new = msg["msg_type"] == "display_data"
            if line and (is_new or time.monotonic() - self.printed_at > UPDATE_EVERY_SECONDS):
                self.printed_at = time.monotonic()
                print(f"      {line[:140]}")
        return super().process_message(msg, cell, cell_index)


def main(source, output):
    sys.stdout.reconfigure(line_buffering=True)
    notebook = nbformat.read(source, as_version=4)
    cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    for index in cells:
        # What a stopped run did not come to must not look as if it did.
        notebook.cells[index].update(outputs=[], execution_count=None)
    client = Progress(
        notebook,
        kernel_name="tslab",
        timeout=None,
        startup_timeout=START_SECONDS,
        resources={"metadata": {"path": str(pathlib.Path(source).parent)}},
    )
    name = pathlib.Path(source).stem
    began = time.monotonic()
    where, why = name, ""
    try:
        with client.setup_kernel():
            for number, index in enumerate(cells, 1):
                where = f"{name}, cell {number} of {len(cells)} ({heading_above(notebook, index)})"
                print(f"{name} {number}/{len(cells)}: {client.start(notebook.cells[index])}")
                client.execute_cell(notebook.cells[index], index)
                print(f"      {time.monotonic() - client.started:.1f} s")
    except CellExecutionError:
        why = message_of(notebook.cells[index])
    except DeadKernelError:
        why = "the kernel ended without a word, as when memory runs out; take a smaller BATCH_SIZE or MAX_SEQ_LENGTH."
    except RuntimeError as error:
        why = f"{error}."  # The kernel did not start in time.
    for index in cells:
        notebook.cells[index].metadata.pop("execution", None)
    temporary = f"{output}.{os.getpid()}.tmp"
    nbformat.write(notebook, temporary)
    os.replace(temporary, output)
    outcome = "stopped by an error" if why else "all cells ran"
    stream = sys.stderr if why else sys.stdout
    print(f"{name}: {outcome} after {time.monotonic() - began:.0f} s; see {os.path.relpath(output)}", file=stream)
    if why:
        print(f"\n{where}: {why}", file=stream)
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
