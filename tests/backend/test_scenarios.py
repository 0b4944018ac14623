"""Pieces of well-known Keras scripts that use the backend directly."""

from __future__ import annotations

import numpy as np
from backend.tools import array, compute

from pykeras import backend as K


def test_sampling_of_a_variational_autoencoder():
    mean, log_var = K.placeholder((None, 2)), K.placeholder((None, 2))
    epsilon = K.random_normal(shape=(K.shape(mean)[0], 2), mean=0.0, stddev=1.0)
    z = mean + K.exp(0.5 * log_var) * epsilon
    kl = -0.5 * K.sum(1 + log_var - K.square(mean) - K.exp(log_var), axis=-1)
    f = K.function([mean, log_var], [z, kl, *K.gradients(K.mean(z) + K.mean(kl), [mean, log_var])])
    z_, kl_, gm, gv = f([np.full((500, 2), 3.0), np.zeros((500, 2))])
    assert z_.shape == (500, 2) and abs(z_.mean() - 3) < 0.2 and abs(z_.std() - 1) < 0.1
    np.testing.assert_allclose(kl_, 9.0)
    np.testing.assert_allclose(gm, 1 / 1000 + 3 / 500, rtol=1e-5)
    np.testing.assert_allclose(gv, 0.5 * (z_ - 3) / 1000, atol=1e-6)


def test_routing_of_a_capsule_layer():
    def squash(x, axis=-1):
        norm2 = K.sum(K.square(x), axis, keepdims=True) + K.epsilon()
        return K.sqrt(norm2) / (0.5 + norm2) * x

    def softmax(x, axis=-1):
        e = K.exp(x - K.max(x, axis=axis, keepdims=True))
        return e / K.sum(e, axis=axis, keepdims=True)

    def route(u, kernel):
        hat = K.conv1d(u, kernel)
        batch, inputs = K.shape(u)[0], K.shape(u)[1]
        hat = K.permute_dimensions(K.reshape(hat, (batch, inputs, 4, 3)), (0, 2, 1, 3))
        b = K.zeros_like(hat[:, :, :, 0])
        for _ in range(3):
            c = softmax(b, 1)
            o = K.batch_dot(c, hat, [2, 2])
            b = K.batch_dot(squash(o), hat, [2, 3])
        return squash(o)

    u, kernel = array(2, 6, 5), array(1, 5, 12)
    hat = (u @ kernel[0]).reshape(2, 6, 4, 3).transpose(0, 2, 1, 3)
    b = np.zeros(hat.shape[:3])
    for _ in range(3):
        e = np.exp(b - b.max(1, keepdims=True))
        c = e / e.sum(1, keepdims=True)
        o = np.einsum("nki,nkid->nkd", c, hat)
        norm2 = (o * o).sum(-1, keepdims=True) + 1e-7
        squashed = np.sqrt(norm2) / (0.5 + norm2) * o
        b = np.einsum("nkd,nkid->nki", squashed, hat)
    for unknown in (False, True):
        np.testing.assert_allclose(compute(route, u, kernel, unknown=unknown), squashed, rtol=1e-3, atol=1e-4)


def test_style_transfer():
    target, style = K.variable(array(1, 4, 4, 3)), K.variable(array(1, 4, 4, 3, seed=1))
    image = K.placeholder((1, 4, 4, 3))
    stacked = K.concatenate([target, style, image], axis=0)

    def gram(x):
        features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
        return K.dot(features, K.transpose(features))

    loss = K.variable(0.0)
    loss = loss + 0.025 * K.sum(K.square(stacked[2, :, :, :] - stacked[0, :, :, :]))
    loss += K.sum(K.square(gram(stacked[1]) - gram(stacked[2]))) / (4.0 * 9 * 16**2)
    a = K.square(image[:, :3, :3, :] - image[:, 1:, :3, :])
    b = K.square(image[:, :3, :3, :] - image[:, :3, 1:, :])
    loss += K.sum(K.pow(a + b, 1.25))
    f = K.function([image], [loss, *K.gradients(loss, image)])
    x = array(1, 4, 4, 3, seed=2)
    value, gradient = f([x])
    direction = array(1, 4, 4, 3, seed=3)
    step = 1e-2
    slope = (f([x + step * direction])[0] - f([x - step * direction])[0]) / (2 * step)
    np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=0.01)
    for _ in range(50):
        x = x - 0.02 * f([x])[1]
    assert f([x])[0] < 0.5 * value


def test_deep_dream():
    K.set_learning_phase(0)
    dream = K.placeholder((1, None, None, 3))
    features = K.relu(K.conv2d(dream, K.variable(array(3, 3, 3, 4)), padding="same"))
    scaling = K.prod(K.cast(K.shape(features), "float32"))
    loss = K.variable(0.0)
    loss = loss + 2.0 * K.sum(K.square(features[:, 2:-2, 2:-2, :])) / scaling
    grads = K.gradients(loss, dream)[0]
    grads /= K.maximum(K.mean(K.abs(grads)), K.epsilon())
    fetch = K.function([dream], [loss, grads])
    x = array(1, 9, 8, 3)
    losses = []
    for _ in range(5):
        value, step = fetch([x])
        losses.append(value)
        x = x + 0.05 * step
    assert losses == sorted(losses) and np.isfinite(losses).all()


def test_siamese_distance_and_loss():
    a, b, same = (K.placeholder((None, n)) for n in (4, 4, 1))
    distance = K.sqrt(K.maximum(K.sum(K.square(a - b), axis=1, keepdims=True), K.epsilon()))
    loss = K.mean(same * K.square(distance) + (1 - same) * K.square(K.maximum(1 - distance, 0)))
    accuracy = K.mean(K.equal(same, K.cast(distance < 0.5, K.dtype(same))))
    x, y, s = array(5, 4), array(5, 4, seed=1), np.float32([[1], [0], [1], [0], [0]])
    y[0], y[1] = x[0], x[1]
    got = K.function([a, b, same], [loss, accuracy, *K.gradients(loss, a)])([x, y, s])
    d = np.sqrt(np.maximum(((x - y) ** 2).sum(1, keepdims=True), 1e-7))
    want = np.mean(s * d**2 + (1 - s) * np.maximum(1 - d, 0) ** 2)
    np.testing.assert_allclose(got[0], want, rtol=1e-5)
    np.testing.assert_allclose(got[1], np.mean(s == (d < 0.5)), rtol=1e-6)
    assert np.isfinite(got[2]).all()


def test_a_loop_of_training_written_by_hand():
    x, t = K.placeholder((None, 2)), K.placeholder((None, 1))
    w, b = K.variable(np.zeros((2, 1))), K.zeros(1)
    loss = K.mean(K.binary_crossentropy(t, K.sigmoid(K.bias_add(K.dot(x, w), b))))
    updates = [K.update_sub(p, 0.5 * g) for p, g in zip((w, b), K.gradients(loss, [w, b]))]
    step = K.function([x, t], [loss], updates=updates)
    data = array(200, 2)
    truth = (data[:, :1] + 2 * data[:, 1:] > 0.3).astype("float32")
    losses = [step([data, truth])[0] for _ in range(100)]
    assert abs(losses[0] - np.log(2)) < 1e-5 and losses[-1] < 0.15
    ratio = K.get_value(w)[1] / K.get_value(w)[0]
    assert 1.6 < ratio < 2.4
