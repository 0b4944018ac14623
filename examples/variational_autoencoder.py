"""A variational autoencoder with dense layers (Kingma and Welling, arXiv:1312.6114).

The encoder says where a digit lies in a plane, as mean and spread; a point drawn from there is decoded.
The loss is built from tensors of the model and added with `add_loss`. Afterwards the encoder is a model,
and so is the decoder: points of the plane are drawn as digits into `vae_digits.png` (needs Pillow).

Run: python examples/variational_autoencoder.py [--fast]
"""

import sys
from statistics import NormalDist

import numpy as np

from pykeras import backend as K
from pykeras import metrics
from pykeras.datasets import mnist
from pykeras.layers import Dense, Input, Lambda
from pykeras.models import Model

fast = "--fast" in sys.argv
digits, tests, epochs = (10000, 1000, 3) if fast else (60000, 10000, 50)
PIXELS, HIDDEN, LATENT = 784, 256, 2


def draw(statistics):
    """A point for every sample, from normal distributions given by mean and logarithm of the variance."""
    mean, log_variance = statistics
    noise = K.random_normal(shape=(K.shape(mean)[0], LATENT), mean=0.0, stddev=1.0)
    return mean + K.exp(log_variance / 2) * noise


x = Input(shape=(PIXELS,))
hidden = Dense(HIDDEN, activation="relu")(x)
z_mean = Dense(LATENT)(hidden)
z_log_variance = Dense(LATENT)(hidden)
z = Lambda(draw, output_shape=(LATENT,))([z_mean, z_log_variance])

# The decoder's layers are used twice: behind the encoder, and alone.
decode_hidden = Dense(HIDDEN, activation="relu")
decode_pixels = Dense(PIXELS, activation="sigmoid")
x_again = decode_pixels(decode_hidden(z))

vae = Model(x, x_again)
reconstruction = PIXELS * metrics.binary_crossentropy(x, x_again)
divergence = -0.5 * K.sum(1 + z_log_variance - K.square(z_mean) - K.exp(z_log_variance), axis=-1)
vae.add_loss(K.mean(reconstruction + divergence))
vae.compile(optimizer="rmsprop")
vae.summary()

(x_train, _), (x_test, y_test) = mnist.load_data()
x_train, x_test = (a.reshape(-1, PIXELS).astype("float32") / 255 for a in (x_train[:digits], x_test[:tests]))
history = vae.fit(
    x_train,
    shuffle=True,
    epochs=epochs,
    batch_size=100,
    verbose=2 if fast else 1,
    validation_data=(x_test, None),
)

encoder = Model(x, z_mean)
places = encoder.predict(x_test, batch_size=100)
for digit in range(10):
    print(f"digit {digit} lies around", np.round(places[y_test[: len(places)] == digit].mean(axis=0), 2))

point = Input(shape=(LATENT,))
generator = Model(point, decode_pixels(decode_hidden(point)))
steps = [NormalDist().inv_cdf(p) for p in np.linspace(0.05, 0.95, 15)]
sheet = generator.predict(np.array([(a, b) for a in steps for b in steps]))
sheet = sheet.reshape(15, 15, 28, 28).swapaxes(1, 2).reshape(15 * 28, 15 * 28)
try:
    from PIL import Image
except ImportError:
    print("no picture without Pillow")
else:
    Image.fromarray(np.uint8(255 * sheet)).save("vae_digits.png")
print(f"first loss: {history.history['val_loss'][0]:.2f}")
print(f"last loss: {history.history['val_loss'][-1]:.2f}")
