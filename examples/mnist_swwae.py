"""A what-where autoencoder (Zhao et al., arXiv:1506.02351): max pooling keeps the "what", the decoder gets
the "where".

Where a maximum came from is the gradient of the pooled map with respect to the map before it: a layer asks
for that gradient inside the model, so training takes gradients of gradients. Residual blocks (He et al.,
arXiv:1512.03385) are between the poolings. The model is built with channels first, which is set here at
run time.

Original and reconstructed digits go to `swwae_digits.png` (needs Pillow).

Run: python examples/mnist_swwae.py [--fast]
"""

import sys

import numpy as np

from pykeras import backend as K
from pykeras.datasets import mnist
from pykeras.layers import (
    ELU,
    Activation,
    BatchNormalization,
    Conv2D,
    Input,
    Lambda,
    MaxPooling2D,
    UpSampling2D,
    add,
    multiply,
)
from pykeras.models import Model

fast = "--fast" in sys.argv
digits, tests, stages, epochs = (600, 200, 2, 5) if fast else (60000, 10000, 5, 5)
side = 32 if stages == 5 else 28  # five times halved
POOL, FILTERS = 2, 8

# Set before the first layer is made: maps are (samples, filters, rows, columns) from here on.
K.set_image_data_format("channels_first")


def block(x, filters=FILTERS):
    """Residual block: two normalized convolutions, added to the input."""
    y = Conv2D(filters, 3, padding="same")(x)
    y = BatchNormalization(axis=1)(y)
    y = ELU()(y)
    y = Conv2D(filters, 3, padding="same")(y)
    y = BatchNormalization(axis=1)(y)
    if K.int_shape(x)[1] != filters:
        x = Conv2D(filters, 1, padding="same")(x)
    return ELU()(add([x, y]))


def where(maps):
    """1 where a maximum was taken, 0 elsewhere: the gradient of the pooled map."""
    before, after = maps
    return K.gradients(K.sum(after), before)[0]


(x_train, _), (x_test, _) = mnist.load_data()
border = (side - 28) // 2
x_train, x_test = (
    np.pad(x[:, np.newaxis].astype("float32") / 255, ((0, 0), (0, 0), (border, border), (border, border)))
    for x in (x_train[:digits], x_test[:tests])
)

picture = Input(shape=(1, side, side))
x = block(picture)
places = []
for _ in range(stages):
    before = block(x)
    x = MaxPooling2D(pool_size=(POOL, POOL))(before)
    places.append(Lambda(where, output_shape=lambda shapes: shapes[0])([before, x]))

for place in reversed(places):
    x = UpSampling2D(size=(POOL, POOL))(x)
    x = multiply([x, place])  # each value goes back to where its maximum was
    x = block(x)
x = block(x, 1)
x = Activation("hard_sigmoid")(x)
model = Model(picture, x)
model.compile("adam", "mse")
history = model.fit(
    x_train,
    x_train,
    batch_size=32 if fast else 128,
    epochs=epochs,
    verbose=2 if fast else 1,
    validation_data=(x_test, x_test),
)

again = model.predict(x_test[:25])
rows = [np.concatenate(part[:25, 0], axis=1) for part in (x_test, again)]
try:
    from PIL import Image
except ImportError:
    print("no picture without Pillow")
else:
    Image.fromarray(np.uint8(255 * np.concatenate(rows))).save("swwae_digits.png")
print(f"first loss: {history.history['val_loss'][0]:.4f}")
print(f"last loss: {history.history['val_loss'][-1]:.4f}")
