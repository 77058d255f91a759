"""Executes a notebook cell by cell, printing progress; writes the executed copy whether or not a cell fails.

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


def plain(data):
    """What a small live output, such as a progress bar, says; figures and tables say too much for one line."""
    page = "".join(data.get("text/html", ""))
    if "<table" in page or "<script" in page or "<img" in page:
        return ""
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.S)).split())


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
            if line and time.monotonic() - self.printed_at > UPDATE_EVERY_SECONDS:
                self.printed_at = time.monotonic()
                print(f"      {line[:140]}")
        return super().process_message(msg, cell, cell_index)


def main(source, output):
    notebook = nbformat.read(source, as_version=4)
    cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    client = Progress(
        notebook,
        kernel_name="tslab",
        timeout=None,
        resources={"metadata": {"path": str(pathlib.Path(source).parent)}},
    )
    name = pathlib.Path(source).stem
    began = time.monotonic()
    failed = False
    try:
        with client.setup_kernel():
            for number, index in enumerate(cells, 1):
                title = client.start(notebook.cells[index])
                print(f"{name} {number}/{len(cells)}: {title}")
                client.execute_cell(notebook.cells[index], index)
                print(f"      {time.monotonic() - client.started:.1f} s")
    except (CellExecutionError, DeadKernelError) as error:
        failed = True
        print(re.sub(r"\x1b\[[0-9;]*m", "", str(error)), file=sys.stderr)
    for index in cells:
        notebook.cells[index].metadata.pop("execution", None)
    temporary = f"{output}.{os.getpid()}.tmp"
    nbformat.write(notebook, temporary)
    os.replace(temporary, output)
    print(f"{name}: {'stopped by an error' if failed else 'all cells ran'} after {time.monotonic() - began:.0f} s; see {os.path.relpath(output)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
