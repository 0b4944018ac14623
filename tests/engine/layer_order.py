"""Random graphs for the test of the order of layers; run as a script, it records what tf_keras makes of them.

python tests/engine/layer_order.py        (needs tf_keras; writes layer_order.json beside this file)
"""

import json
import random
from pathlib import Path
from types import SimpleNamespace

GOLDEN = Path(__file__).with_suffix(".json")
SEEDS = range(30)


def random_model(seed, keras):
    """Builds a graph with shared layers and several ends; the same graph for the same seed.

    Args:
        seed: int.
        keras: namespace with Model, Input, Dense and Add.
    """
    r = random.Random(seed)
    inputs = [keras.Input((4,), name=f"in{i}_{seed}") for i in range(r.randint(1, 3))]
    shared = [keras.Dense(4, name=f"shared{i}_{seed}") for i in range(2)]
    tensors = list(inputs)
    for k in range(r.randint(3, 20)):
        choice = r.random()
        if choice < 0.4:
            tensors.append(keras.Dense(4, name=f"dense{k}_{seed}")(r.choice(tensors)))
        elif choice < 0.6:
            tensors.append(r.choice(shared)(r.choice(tensors)))
        elif len(tensors) > 1:
            chosen = r.sample(tensors, min(len(tensors), r.randint(2, 3)))
            tensors.append(keras.Add(name=f"add{k}_{seed}")(chosen))
    outputs = [keras.Dense(1, name=f"out{i}_{seed}")(r.choice(tensors)) for i in range(r.randint(1, 2))]
    return keras.Model(inputs, outputs)


def describe(model):
    """Returns names of the layers in order, their connections, and the ends."""
    config = json.loads(json.dumps(model.get_config()["layers"]))
    nodes = [entry["inbound_nodes"] for entry in config]
    return [[layer.name for layer in model.layers], nodes]


if __name__ == "__main__":
    from tf_keras.layers import Add, Dense, Input
    from tf_keras.models import Model

    found = [
        describe(random_model(s, SimpleNamespace(Model=Model, Input=Input, Dense=Dense, Add=Add)))
        for s in SEEDS
    ]
    GOLDEN.write_text(json.dumps(found, separators=(",", ":")) + "\n")
