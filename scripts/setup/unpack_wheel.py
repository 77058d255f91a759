"""Unpacks what a binding needs of the TensorFlow wheel in a folder: lib/ (two libraries) and include/ (C headers)."""

import pathlib
import sys
import zipfile

folder = pathlib.Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
LIBRARIES = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
HEADERS = "tensorflow/include/"
NEEDED = tuple(HEADERS + part for part in ("tensorflow/c/", "tensorflow/core/platform/", "tsl/", "xla/tsl/"))

with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.endswith("/"):
            continue
        if name in LIBRARIES:
            target = folder / "lib" / pathlib.PurePosixPath(name).name
        elif name.startswith(NEEDED):
            target = folder / "include" / name.removeprefix(HEADERS)
        else:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, open(target, "wb") as out:
            while block := source.read(1 << 20):
                out.write(block)
wheel.unlink()
