"""Reads what scripts/nir-out.mjs has written with snnTorch, Norse and Spyx, and counts the entries of the spike rasters that differ from ours.

usage: python3 scripts/nir-read.py FOLDER   (pip install nir snntorch norse spyx)

Spyx emits a spike one step after it; its rasters are compared from the second step on, one step earlier.
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

import jax.numpy as jnp  # noqa: E402
import nir  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from norse.torch.utils.import_nir import from_nir  # noqa: E402
from snntorch.import_nir import import_from_nir  # noqa: E402
from spyx.nir import from_nir as spyx_from_nir  # noqa: E402


def run(module, x):
    """Spikes of a stateful module, step by step. x: [step][input]"""
    state, out = None, []
    with torch.no_grad():
        for row in x:
            z, state = module(torch.tensor(row, dtype=torch.float32)[None], state)
            out.append(z.numpy().reshape(-1))
    return np.array(out)


def spyx(graph, x, dt):
    """The same in Spyx, which emits before it updates."""
    _, z = spyx_from_nir(graph, jnp.array(x, jnp.float32)[:, None], dt=dt)
    return np.asarray(z).reshape(len(x), -1)[1:]


def main(folder):
    readers = {
        "snntorch": lambda graph, x, dt: run(import_from_nir(graph), x),
        "norse": lambda graph, x, dt: run(from_nir(graph, ignore_warnings=True, dt=dt), x),
        "spyx": spyx,
    }
    total = dict.fromkeys(readers, 0)
    for path in sorted(glob.glob(os.path.join(folder, "*.nir"))):
        with open(path[:-4] + ".json", encoding="utf8") as file:
            ours = json.load(file)
        x, z = np.array(ours["x"]), np.array(ours["z"])
        found = []
        for name in ours["readers"]:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                spikes = readers[name](nir.read(path), x, ours["dt"])
            differ = int((spikes != z[: len(spikes)]).sum())
            total[name] += differ
            found.append(f"{name} {differ}")
        print(f"{ours['name']}  {ours['network']:32}  {int(z.sum()):5} spikes in {z.size} entries, differ: {', '.join(found)}")
    print("differ in all:", ", ".join(f"{name} {count}" for name, count in total.items()))


main(sys.argv[1])
