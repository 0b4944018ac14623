"""A variational autoencoder made of convolutions and transposed convolutions, on MNIST.

As in variational_autoencoder.py, but pictures stay pictures. Works with both image data formats.

Run: python examples/variational_autoencoder_deconv.py [--fast]
"""

import sys

import numpy as np

from pykeras import backend as K
from pykeras import metrics
from pykeras.datasets import mnist
from pykeras.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Input, Lambda, Reshape
from pykeras.models import Model

fast = "--fast" in sys.argv
digits, tests, filters, epochs = (2000, 500, 16, 2) if fast else (60000, 10000, 64, 5)
SIDE, HIDDEN, LATENT, BATCH = 28, 128, 2, 100

first = K.image_data_format() == "channels_first"
shape = (1, SIDE, SIDE) if first else (SIDE, SIDE, 1)
small = (filters, SIDE // 2, SIDE // 2) if first else (SIDE // 2, SIDE // 2, filters)

x = Input(shape=shape)
seen = Conv2D(1, kernel_size=(2, 2), padding="same", activation="relu")(x)
seen = Conv2D(filters, kernel_size=(2, 2), padding="same", activation="relu", strides=(2, 2))(seen)
seen = Conv2D(filters, kernel_size=3, padding="same", activation="relu", strides=1)(seen)
seen = Conv2D(filters, kernel_size=3, padding="same", activation="relu", strides=1)(seen)
seen = Dense(HIDDEN, activation="relu")(Flatten()(seen))
z_mean, z_log_variance = Dense(LATENT)(seen), Dense(LATENT)(seen)


def draw(statistics):
    mean, log_variance = statistics
    noise = K.random_normal(shape=(K.shape(mean)[0], LATENT), mean=0.0, stddev=1.0)
    return mean + K.exp(log_variance / 2) * noise


z = Lambda(draw, output_shape=(LATENT,))([z_mean, z_log_variance])

decoder = [
    Dense(HIDDEN, activation="relu"),
    Dense(int(np.prod(small)), activation="relu"),
    Reshape(small),
    Conv2DTranspose(filters, kernel_size=3, padding="same", strides=1, activation="relu"),
    Conv2DTranspose(filters, kernel_size=3, padding="same", strides=1, activation="relu"),
    Conv2DTranspose(filters, kernel_size=(3, 3), strides=(2, 2), padding="valid", activation="relu"),  # 29×29
    Conv2D(1, kernel_size=2, padding="valid", activation="sigmoid"),  # 28×28
]


def decode(point):
    for layer in decoder:
        point = layer(point)
    return point


x_again = decode(z)
vae = Model(x, x_again)
reconstruction = SIDE * SIDE * metrics.binary_crossentropy(K.flatten(x), K.flatten(x_again))
divergence = -0.5 * K.mean(1 + z_log_variance - K.square(z_mean) - K.exp(z_log_variance), axis=-1)
vae.add_loss(K.mean(reconstruction + divergence))
vae.compile(optimizer="rmsprop")
vae.summary()

(x_train, _), (x_test, y_test) = mnist.load_data()
x_train, x_test = (a.reshape(-1, *shape).astype("float32") / 255 for a in (x_train[:digits], x_test[:tests]))
history = vae.fit(
    x_train,
    shuffle=True,
    epochs=epochs,
    batch_size=BATCH,
    verbose=2 if fast else 1,
    validation_data=(x_test, None),
)

encoder = Model(x, z_mean)
print("places of the test digits:", encoder.predict(x_test, batch_size=BATCH).shape)
point = Input(shape=(LATENT,))
generator = Model(point, decode(point))
steps = np.linspace(-1.5, 1.5, 15)
sheet = generator.predict(np.array([(a, b) for a in steps for b in steps]), batch_size=BATCH)
sheet = sheet.reshape(15, 15, SIDE, SIDE).swapaxes(1, 2).reshape(15 * SIDE, 15 * SIDE)
try:
    from PIL import Image
except ImportError:
    print("no picture without Pillow")
else:
    Image.fromarray(np.uint8(255 * sheet)).save("vae_deconv_digits.png")
print(f"first loss: {history.history['loss'][0]:.2f}")
print(f"last loss: {history.history['loss'][-1]:.2f}")
