"""An autoencoder that removes noise from digits: three models, encoder, decoder and both in a row.

Writes noisy, cleaned and original digits into `denoised_digits.png` (needs Pillow) and the model into
`denoiser.h5`.

Run: python examples/mnist_denoising_autoencoder.py [--fast]
"""

import sys

import numpy as np

from pykeras import backend as K
from pykeras.datasets import mnist
from pykeras.layers import Activation, Conv2D, Conv2DTranspose, Dense, Flatten, Input, Reshape
from pykeras.models import Model

fast = "--fast" in sys.argv
digits, tests, filters, epochs = (3000, 500, [16, 32], 2) if fast else (60000, 10000, [32, 64], 30)
LATENT = 16

np.random.seed(1337)
(x_train, _), (x_test, _) = mnist.load_data()
x_train, x_test = (x[..., np.newaxis].astype("float32") / 255 for x in (x_train[:digits], x_test[:tests]))
noisy_train, noisy_test = (
    np.clip(x + np.random.normal(0.5, 0.5, x.shape), 0.0, 1.0) for x in (x_train, x_test)
)

picture = Input(shape=(28, 28, 1), name="encoder_input")
x = picture
for number in filters:
    x = Conv2D(number, kernel_size=3, strides=2, activation="relu", padding="same")(x)
small = K.int_shape(x)  # (None, 7, 7, filters): what the decoder has to begin with
latent = Dense(LATENT, name="latent_vector")(Flatten()(x))
encoder = Model(picture, latent, name="encoder")
encoder.summary()

code = Input(shape=(LATENT,), name="decoder_input")
x = Reshape(small[1:])(Dense(int(np.prod(small[1:])))(code))
for number in reversed(filters):
    x = Conv2DTranspose(number, kernel_size=3, strides=2, activation="relu", padding="same")(x)
x = Conv2DTranspose(1, kernel_size=3, padding="same")(x)
decoder = Model(code, Activation("sigmoid", name="decoder_output")(x), name="decoder")
decoder.summary()

autoencoder = Model(picture, decoder(encoder(picture)), name="autoencoder")
autoencoder.compile(loss="mse", optimizer="adam")
autoencoder.fit(
    noisy_train,
    x_train,
    validation_data=(noisy_test, x_test),
    epochs=epochs,
    batch_size=32 if fast else 128,
    verbose=2 if fast else 1,
)
cleaned = autoencoder.predict(noisy_test)
autoencoder.save("denoiser.h5")

rows = [np.concatenate(part[:20, ..., 0], axis=1) for part in (x_test, noisy_test, cleaned)]
try:
    from PIL import Image
except ImportError:
    print("no picture without Pillow")
else:
    Image.fromarray(np.uint8(255 * np.concatenate(rows))).save("denoised_digits.png")
print(f"error of the noisy digits: {np.mean((noisy_test - x_test) ** 2):.4f}")
print(f"error of the cleaned digits: {np.mean((cleaned - x_test) ** 2):.4f}")
