"""What builds the networks; in a module of its own, so that processes can import it."""

from pykeras.layers import Dense
from pykeras.models import Sequential
from pykeras.optimizers import Adam


def build_classifier(units=8, lr=0.05, loss="categorical_crossentropy"):
    model = Sequential([Dense(units, activation="relu", input_shape=(4,)), Dense(3, activation="softmax")])
    model.compile(Adam(lr), loss, metrics=["accuracy"])
    return model


def build_binary():
    model = Sequential([Dense(4, activation="tanh", input_shape=(4,)), Dense(1, activation="sigmoid")])
    model.compile(Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model


def build_regressor(units=8, outputs=1):
    model = Sequential([Dense(units, activation="tanh", input_shape=(4,)), Dense(outputs)])
    model.compile(Adam(0.05), "mse")
    return model
