"""Reads what scripts/nir-out.mjs has written with snnTorch and Norse, and counts the entries of the spike rasters that differ from ours.

usage: python3 scripts/nir-read.py FOLDER   (pip install nir snntorch norse)
"""

import contextlib
import glob
import io
import json
import logging
import os
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import nir  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from norse.torch.utils.import_nir import from_nir  # noqa: E402
from snntorch.import_nir import import_from_nir  # noqa: E402


def run(module, x):
    """Spikes of a stateful module, step by step. x: [step][input]"""
    state, out = None, []
    with torch.no_grad():
        for row in x:
            z, state = module(torch.tensor(row, dtype=torch.float32)[None], state)
            out.append(z.numpy().reshape(-1))
    return np.array(out)


def main(folder):
    readers = {
        "snntorch": lambda graph, dt: import_from_nir(graph),
        "norse": lambda graph, dt: from_nir(graph, ignore_warnings=True, dt=dt),
    }
    total = dict.fromkeys(readers, 0)
    for path in sorted(glob.glob(os.path.join(folder, "*.nir"))):
        with open(path[:-4] + ".json", encoding="utf8") as file:
            ours = json.load(file)
        x, z = np.array(ours["x"]), np.array(ours["z"])
        found = []
        for name, read in readers.items():
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                spikes = run(read(nir.read(path), ours["dt"]), x)
            differ = int((spikes != z).sum())
            total[name] += differ
            found.append(f"{name} {differ}")
        print(f"{ours['name']}  {ours['network']:32}  {int(z.sum()):5} spikes in {z.size} entries, differ: {', '.join(found)}")
    print("differ in all:", ", ".join(f"{name} {count}" for name, count in total.items()))


main(sys.argv[1])
