"""Writes applications.json and applications.npz: what tf_keras.applications compute with weights from
a rule, and digests of the order, names and shapes of these weights; also small weight files in applications/.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_applications.py [--files FOLDER] [CASE …]

With --files every model's weights are written as an .h5 file, some of them large, into a folder as well;
check_application_files.py then loads them into pykeras.

Where tf_keras has another architecture than Keras 2.1.6 (and so than pykeras), its model is cloned with these
layers replaced:

- ResNet50: no padding before the first pooling, and batch normalizations with epsilon 1e-3, not 1.001e-5.
  (The global average at the end equals that over 7x7 at this size.) Layers of a short cut come before
  those of the main path at the same depth; in Keras 2.1.6 and its weight file they come after them.
- NASNet: the poolings of reduction cells pad by themselves ('same', which leaves the border out of averages
  and maxima) instead of seeing zeros around the picture.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import numpy as np
import tf_keras as keras
from application_weights import CASES, CLASSES, fill, order, pictures, weighted
from tf_keras.src.applications import densenet, nasnet

HERE = Path(__file__).parent
BRANCHES = {"0": "1", "1": "2a", "2": "2b", "3": "2c"}


def resnet50_name(name):
    """conv3_block2_1_bn → bn3b_branch2a."""
    fixed = {"conv1_conv": "conv1", "conv1_bn": "bn_conv1", "predictions": "fc1000"}
    if name in fixed:
        return fixed[name]
    stage, block, branch, kind = name.removeprefix("conv").split("_")
    letter = "abcdef"[int(block.removeprefix("block")) - 1]
    return f"{'res' if kind == 'conv' else 'bn'}{stage}{letter}_branch{BRANCHES[branch]}"


RENAME = {
    "ResNet50": resnet50_name,
    "MobileNetV2": lambda name: "Logits" if name == "predictions" else name,
    "DenseNet": lambda name: "fc1000" if name == "predictions" else name,
}


def as_in_216(layer):
    """For clone_model: the layer of Keras 2.1.6 in the place of a layer of tf_keras."""
    config = layer.get_config()
    if layer.name == "pool1_pad":
        config["padding"] = ((0, 0), (0, 0))
    if layer.name.startswith("conv") and isinstance(layer, keras.layers.BatchNormalization):
        config["epsilon"] = 1e-3
    if layer.name.startswith("reduction_pad_1"):
        config["padding"] = ((0, 0), (0, 0))
    if layer.name.startswith(("reduction_left2", "reduction_left3", "reduction_right5")):
        config["padding"] = "same"
    return type(layer).from_config(config)


def build(name, size, arguments, **more):
    picture = keras.layers.Input((size, size, 3))
    cls = getattr(keras.applications, name)
    model = cls(weights=None, input_tensor=picture, classes=CLASSES, **arguments, **more)
    if name == "ResNet50" or name.startswith("NASNet"):
        model = keras.models.clone_model(model, clone_function=as_in_216)
    return model


def layers_as_in_216(model):
    """The layers with weights, in the order of Keras 2.1.6."""
    layers = weighted(model)
    for i, layer in enumerate(layers[:-1]):
        if model.name == "resnet50" and layer.name.endswith(("_0_conv", "_0_bn")):
            layers[i : i + 2] = layers[i + 1], layer
    return layers


def run(case, folder):
    name, size, arguments = CASES[case]
    model = build(name, size, arguments)
    layers = layers_as_in_216(model)
    fill(layers)
    both = keras.Model(model.inputs, [layers[-1].input, model.output])
    middle = both.predict(pictures(size), verbose=0)[0].reshape(2, -1)
    # the probabilities say something only if the logits are neither all alike nor far apart
    kernel = layers[-1].get_weights()[0]
    spread = np.std(middle @ kernel.reshape(-1, CLASSES))
    scale = float(f"{1.5 / spread:.3g}")
    fill(layers, scale)
    end = both.predict(pictures(size), verbose=0)[1]
    rename = next((f for key, f in RENAME.items() if name.startswith(key)), lambda text: text)
    print(case, end[0].round(3), float(np.abs(middle).max()), order(layers, rename), flush=True)
    if folder:
        model.save_weights(folder / f"{case}.h5")
        with h5py.File(folder / f"{case}.h5", "a") as file:
            file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
    facts = {"top_scale": scale, "order": order(layers, rename), "params": model.count_params()}
    return facts, {f"{case}_features": middle[:, :: max(1, middle.shape[1] // 50)], f"{case}_top": end}


def write_small_files():
    """Weight files as tf_keras writes them, of models small enough to keep; coarse numbers pack well."""
    made = {
        "mobilenet": (keras.applications.MobileNet, {"alpha": 0.25}),
        "nasnet": (
            nasnet.NASNet,
            {"penultimate_filters": 96, "num_blocks": 1, "stem_block_filters": 4, "default_size": 64},
        ),
        "densenet": (densenet.DenseNet, {"blocks": [1, 2, 1, 1]}),
    }
    for name, (cls, arguments) in made.items():
        picture = keras.layers.Input((64, 64, 3))
        model = cls(weights=None, input_tensor=picture, include_top=False, pooling="avg", **arguments)
        if name == "nasnet":
            model = keras.models.clone_model(model, clone_function=as_in_216)
        fill(weighted(model))
        for layer in model.layers:
            layer.set_weights([np.round(w * 16) / 16 for w in layer.get_weights()])
        path = HERE / "applications" / f"{name}.h5"
        plain = path.with_suffix(".tmp.h5")
        model.save_weights(plain)
        with h5py.File(plain, "r") as source, h5py.File(path, "w", libver="latest") as packed:
            packed.attrs.update(source.attrs)
            source.visititems(lambda key, item, packed=packed: pack(packed, key, item))
        plain.unlink()
        np.savez(path.with_suffix(".npz"), y=model.predict(pictures(64), verbose=0))
        print(name, path.stat().st_size, model.count_params())


def pack(packed, key, item):
    """Copies one item of an HDF5 file, compressing arrays."""
    if isinstance(item, h5py.Dataset):
        large = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if item.size > 1000 else {}
        packed.create_dataset(key, data=item[()], **large)
    else:
        packed.require_group(key).attrs.update(item.attrs)


def main(arguments):
    folder = None
    if arguments[:1] == ["--files"]:
        folder = Path(arguments[1])
        arguments = arguments[2:]
    facts, arrays = {}, {}
    for case in arguments or CASES:
        keras.backend.clear_session()
        facts[case], more = run(case, folder)
        arrays |= more
    if not arguments:
        (HERE / "applications.json").write_text(json.dumps(facts, indent=1) + "\n")
        np.savez_compressed(HERE / "applications.npz", **arrays)
        write_small_files()


if __name__ == "__main__":
    main(sys.argv[1:])
