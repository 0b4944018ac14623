"""A training run with two inputs and outputs and weights; as a script, it records what tf_keras makes of it.

python tests/engine/fit_record.py         (needs tf_keras; writes fit_record.json beside this file)
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

GOLDEN = Path(__file__).with_suffix(".json")
OPTIMIZERS = {
    "adam": ("Adam", {"learning_rate": 0.01}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.005}),
    "sgd": ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "decay": 0.01}),
}


def train(keras, optimizer):
    """Trains three epochs with a validation split, without shuffling.

    Args:
        keras: namespace with Model, Concatenate, Dense, Flatten, Input and optimizers.
        optimizer: key of OPTIMIZERS.

    Returns:
        dict with the history's values (key 'accuracy' as 'acc') and what `evaluate` returns.
    """
    r = np.random.RandomState(0)
    x = [r.rand(50, 6).astype("float32"), r.rand(50, 5, 3).astype("float32")]
    y = {"a": r.rand(50, 2).astype("float32"), "b": np.eye(4, dtype="float32")[r.randint(0, 4, 50)]}
    weights = {"a": r.rand(50) + 0.1, "b": r.rand(50) + 0.1}

    first, second = keras.Input((6,)), keras.Input((5, 3))
    h = keras.Dense(8, activation="tanh", kernel_regularizer="l2")(first)
    h = keras.Dense(8, activation="relu")(h)
    both = keras.Concatenate()([h, keras.Flatten()(second)])
    outputs = [keras.Dense(2, name="a")(h), keras.Dense(4, activation="softmax", name="b")(both)]
    model = keras.Model([first, second], outputs)
    model.set_weights([r.randn(*w.shape) * 0.3 for w in model.get_weights()])

    name, arguments = OPTIMIZERS[optimizer]
    model.compile(
        getattr(keras.optimizers, name)(**arguments),
        {"a": "mae", "b": "categorical_crossentropy"},
        loss_weights={"a": 2.0, "b": 0.5},
        metrics={"b": ["accuracy"]},
    )
    history = model.fit(
        x, y, batch_size=8, epochs=3, validation_split=0.2, shuffle=False, verbose=0, sample_weight=weights
    ).history
    result = {key.replace("accuracy", "acc"): [float(v) for v in values] for key, values in history.items()}
    result["evaluate"] = [float(v) for v in model.evaluate(x, [y["a"], y["b"]], batch_size=16, verbose=0)]
    return result


if __name__ == "__main__":
    import tf_keras.optimizers.legacy
    from tf_keras.layers import Concatenate, Dense, Flatten, Input
    from tf_keras.models import Model

    keras = SimpleNamespace(
        Model=Model,
        Concatenate=Concatenate,
        Dense=Dense,
        Flatten=Flatten,
        Input=Input,
        optimizers=tf_keras.optimizers.legacy,
    )
    GOLDEN.write_text(json.dumps({name: train(keras, name) for name in OPTIMIZERS}, indent=1) + "\n")
