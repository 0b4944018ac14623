"""Writes ctc.npz: what tf_keras computes for `ctc_batch_cost`, its gradient and `ctc_decode`.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_ctc.py

Predictions and labels are not stored: both sides draw them from NumPy's RandomState (`draw` below;
tests/backend/test_ctc.py has the same rules).
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from tf_keras import backend as K

HERE = Path(__file__).parent
# (samples, time, classes, labels at most, how far apart the predictions are)
SHAPES = [(6, 8, 5, 3, 1.0), (4, 40, 12, 15, 3.0), (5, 6, 3, 5, 2.0), (2, 300, 30, 60, 2.0)]
# (beam_width, top_paths)
BEAMS = [(100, 1), (20, 3), (3, 3), (1, 1)]


def draw(index, samples, time, classes, most, spread):
    """Predictions, labels, input and label lengths."""
    rng = np.random.RandomState(index)
    x = np.exp(rng.normal(0, spread, (samples, time, classes)))
    labels = rng.randint(0, classes - 1, (samples, most))
    frames = rng.randint(time // 2, time + 1, (samples, 1))
    counts = np.minimum(rng.randint(1, most + 1, (samples, 1)), frames)
    return (x / x.sum(-1, keepdims=True)).astype("float32"), labels, frames, counts


def main():
    arrays = {}
    for i, shape in enumerate(SHAPES):
        x, labels, frames, counts = draw(i, *shape)
        x_tensor = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x_tensor)
            # float labels, as the OCR example feeds them
            loss = K.ctc_batch_cost(tf.constant(labels, tf.float32), x_tensor, frames, counts)
        arrays[f"{i}/loss"] = loss.numpy()
        gradient = tape.gradient(loss, x_tensor).numpy()
        # the rows of a long gradient would make the file large
        arrays[f"{i}/gradient"] = gradient[:, :: max(1, shape[1] // 20)]
        decoded, score = K.ctc_decode(x_tensor, frames[:, 0], greedy=True)
        arrays[f"{i}/greedy"], arrays[f"{i}/greedy_score"] = decoded[0].numpy(), score.numpy()
        for width, paths in BEAMS:
            # K.ctc_decode of tf_keras would merge repeated labels once more; that of Keras 2.2.4 does not
            logs = tf.transpose(tf.math.log(x_tensor + K.epsilon()), [1, 0, 2])
            decoded, score = tf.nn.ctc_beam_search_decoder(logs, frames[:, 0].astype("int32"), width, paths)
            arrays[f"{i}/beam{width}_score"] = score.numpy()
            for k in range(paths):
                dense = tf.sparse.to_dense(decoded[k], default_value=-1)
                arrays[f"{i}/beam{width}_{k}"] = dense.numpy().astype("int8")
    # blanks behind the labels do not count; without them the same loss
    x, labels, frames, counts = draw(0, *SHAPES[0])
    labels[:, 1:] = SHAPES[0][2] - 1
    arrays["blanks"] = K.ctc_batch_cost(tf.constant(labels), tf.constant(x), frames, counts).numpy()
    np.savez_compressed(HERE / "ctc.npz", **arrays)


if __name__ == "__main__":
    main()
