"""What the tests of the CPU kernels share: running one op where and how it is wanted."""

from __future__ import annotations

import numpy as np

from pykeras import _core

ISAS = _core.isas()
INF, NAN = np.inf, np.nan


def restore_defaults():
    """Back to the settings that the process starts with."""
    _core.set_isa("auto")
    _core.set_num_threads(0)
    _core.set_device("cpu")


def run_all(name, inputs, attrs=None, threads=2, isa="auto", device="cpu", step=0):
    """Results of one op on arrays, through a function with placeholders (constants would be folded)."""
    _core.set_isa(isa)
    _core.set_num_threads(threads)
    _core.set_device(device)
    values = [_core.placeholder(list(x.shape), str(x.dtype), f"x{i}") for i, x in enumerate(inputs)]
    function = _core.Function(values, _core.op(name, values, attrs or {}, "test"), [], "test")
    function.step = step
    return function(list(inputs))


def run(name, inputs, attrs=None, **where):
    return run_all(name, inputs, attrs, **where)[0]


def rng(seed=0):
    return np.random.default_rng(seed)
