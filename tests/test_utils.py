"""The helpers under `pykeras.utils`. Numbers in comments are items of the list of behaviours."""

import functools
import gc
import weakref

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.utils import conv_utils, generic_utils, np_utils
from pykeras.utils.generic_utils import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    func_dump,
    func_load,
    get_custom_objects,
    has_arg,
    serialize_keras_object,
)


class Thing:
    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {"size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class Nested:
    @classmethod
    def from_config(cls, config, custom_objects=None):
        made = cls()
        made.seen = dict(custom_objects or {})
        return made


# ---- names and configs


def test_scopes_nest_and_restore():  # 3.1.9
    assert "thing" not in get_custom_objects()
    with CustomObjectScope({"thing": 1}):
        with custom_object_scope({"thing": 2}, {"other": 3}):
            assert get_custom_objects()["thing"] == 2
            assert get_custom_objects()["other"] == 3
        assert get_custom_objects() == {"thing": 1}
    assert get_custom_objects() == {}


def test_scope_restores_after_an_error():  # 3.1.9
    with pytest.raises(KeyError), CustomObjectScope({"thing": 1}):
        raise KeyError
    assert get_custom_objects() == {}


def test_a_scope_inside_itself():  # 3.1.9
    scope = CustomObjectScope({"twice": len})
    with scope:
        with scope:
            assert "twice" in get_custom_objects()
        assert "twice" in get_custom_objects()
    assert "twice" not in get_custom_objects()


def test_serialize():  # 3.1.1
    assert serialize_keras_object(None) is None
    assert serialize_keras_object(Thing(3)) == {"class_name": "Thing", "config": {"size": 3}}
    assert serialize_keras_object(np.mean) == "mean"
    assert serialize_keras_object(Thing) == "Thing"
    assert deserialize_keras_object({"class_name": "Thing", "config": None}, {"Thing": Thing}).size == 1
    with pytest.raises(ValueError, match="Cannot serialize"):
        serialize_keras_object(3)


def test_lookup_order():  # 3.1.9: explicit, then global, then the module
    module = {"f": "module", "g": "module", "h": "module"}
    with CustomObjectScope({"f": "global", "g": "global"}):
        found = [deserialize_keras_object(n, module, {"f": "explicit"}) for n in "fgh"]
    assert found == ["explicit", "global", "module"]


def test_deserialize_builds_from_config():  # 3.1.9
    config = {"class_name": "Thing", "config": {"size": 7}}
    assert deserialize_keras_object(config, {"Thing": Thing}).size == 7
    plain = {"class_name": "dict", "config": {"a": 1}}
    assert deserialize_keras_object(plain, {"dict": lambda **kw: kw}) == {"a": 1}


def test_from_config_gets_the_merged_custom_objects():  # 3.1.9
    with CustomObjectScope({"a": 1, "b": 1}):
        made = deserialize_keras_object({"class_name": "N", "config": {}}, {"N": Nested}, {"b": 2})
    assert made.seen == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ({"class_name": "Foo", "config": {}}, "Unknown layer: Foo"),
        ("foo", "Unknown layer:foo"),
        ({"config": {}}, "Improper config format"),
        ({"class_name": ["Foo"], "config": {}}, "Improper config format"),
        (3, "Could not interpret serialized layer"),
    ],
)
def test_deserialize_errors(identifier, words):  # 3.1.9, 20
    with pytest.raises(ValueError, match=words):
        deserialize_keras_object(identifier, {}, printable_module_name="layer")


def test_functions_to_text_and_back():  # 3.1.10
    def outer(k):
        return lambda x, y=2: x * y + k

    code, defaults, closure = func_dump(outer(10))
    assert isinstance(code, str)
    assert (defaults, closure) == ((2,), (10,))
    assert func_load(code, defaults, closure)(3) == 16
    assert func_load([code, [2], [10]])(3) == 16  # as it comes out of JSON


def test_own_code_is_recognised():
    code = func_dump(lambda x: x + 1)
    assert generic_utils.is_own_code(code)
    assert generic_utils.is_own_code(code[0])
    assert not generic_utils.is_own_code("4wEAAAA=")
    assert not generic_utils.is_own_code(None)


def test_has_arg():
    assert has_arg(lambda a, *, b: 0, "b")
    assert not has_arg(lambda a, **kw: 0, "b")
    assert has_arg(lambda a, **kw: 0, "b", accept_all=True)
    assert not has_arg(lambda *b: 0, "b")


def test_has_arg_of_methods():
    class Thing:
        def method(self, b):
            pass

        def anything(*args, c=None):
            pass

        @classmethod
        def make(cls, d):
            pass

        def none():
            pass

        def __call__(self, e):
            pass

    thing = Thing()
    for _ in range(2):  # the second time from memory
        assert has_arg(thing.method, "b") and not has_arg(thing.method, "self")
        assert has_arg(Thing.method, "self")
        assert has_arg(thing.anything, "c") and not has_arg(thing.anything, "args")
        assert has_arg(Thing.make, "d") and not has_arg(Thing.make, "cls")
        assert not has_arg(thing.none, "b")
        assert has_arg(thing, "e") and not has_arg(thing, "self") and not has_arg(Thing, "e")
    assert has_arg(functools.partial(Thing.method, thing), "b")
    assert not has_arg(3, "b")


def test_has_arg_remembers_no_function_that_is_gone():
    function = lambda a: a
    assert has_arg(function, "a")
    gone = weakref.ref(function)
    del function
    gc.collect()
    assert gone() is None


def test_list_helpers():
    u = generic_utils
    assert u.to_list(1) == [1]
    assert u.to_list((1, 2)) == [(1, 2)]
    assert u.to_list((1, 2), allow_tuple=True) == [1, 2]
    assert u.unpack_singleton([5]) == 5
    assert u.unpack_singleton([5, 6]) == [5, 6]
    assert u.is_all_none([None, None]) and not u.is_all_none([None, 0]) and u.is_all_none(None)
    a = object()
    assert u.object_list_uid([a]) == u.object_list_uid(a)
    assert u.transpose_shape((2, 3, 4, 5), "channels_first", (1, 2)) == (2, 5, 3, 4)
    assert u.transpose_shape((2, 3), "channels_last", (1,)) == (2, 3)
    u.check_for_unexpected_keys("d", {"a": 1}, ["a"])
    with pytest.raises(ValueError, match="Unknown entries in d dictionary"):
        u.check_for_unexpected_keys("d", {"b": 1}, ["a"])


def test_slice_arrays():
    u = generic_utils
    x = np.arange(6)
    assert u.slice_arrays(x, 1, 3).tolist() == [1, 2]
    assert u.slice_arrays(x, [0, 5]).tolist() == [0, 5]
    assert [None if a is None else a.tolist() for a in u.slice_arrays([x, None], 4)] == [[4, 5], None]
    assert u.slice_arrays(None) == [None]
    with pytest.raises(ValueError, match="stop argument"):
        u.slice_arrays(x, [0], 3)


# ---- arrays


def test_to_categorical():  # 15.1
    assert np_utils.to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert np_utils.to_categorical([0, 2]).dtype == np.float32
    assert np_utils.to_categorical([[1], [0]]).shape == (2, 2)
    assert np_utils.to_categorical(np.zeros((2, 3, 1)), 4).shape == (2, 3, 4)
    assert np_utils.to_categorical([1], 3, dtype="int32").dtype == np.int32
    assert np_utils.to_categorical(2).shape == (3,)


@pytest.mark.parametrize("labels", [[-1], [3]])
def test_to_categorical_out_of_range(labels):
    with pytest.raises(IndexError, match="out of range"):
        np_utils.to_categorical(labels, 3)


@pytest.mark.parametrize("labels", [["cat", "dog"], [float("nan")], [None], [[0, 1], [2]]])
def test_to_categorical_wants_numbers(labels):
    with pytest.raises(ValueError, match=r"needs an array of class numbers: .*np\.unique"):
        np_utils.to_categorical(labels)


def test_normalize():  # 15.1: zero rows stay
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert np_utils.normalize(x).tolist() == [[0.6, 0.8], [0, 0]]
    assert np_utils.normalize(x, axis=0, order=1).tolist() == [[1, 1], [0, 0]]


# ---- shapes


def test_normalize_tuple():  # 15.8
    assert conv_utils.normalize_tuple(3, 2, "kernel_size") == (3, 3)
    assert conv_utils.normalize_tuple([1, 2], 2, "kernel_size") == (1, 2)
    for wrong in ([1], "ab", (1, 2.5), None):
        with pytest.raises(ValueError, match="`kernel_size` argument must be a tuple of 2 integers"):
            conv_utils.normalize_tuple(wrong, 2, "kernel_size")


def test_normalize_count():
    assert [conv_utils.normalize_count(n, "units") for n in (3, np.int64(3), 6 / 2, np.float32(3))] == [3] * 4
    assert type(conv_utils.normalize_count(6 / 2, "units")) is int
    for wrong in (0, -3, 2.5, "3", None, [3], float("nan"), float("inf")):
        with pytest.raises(ValueError, match="The `units` argument must be a whole number above 0"):
            conv_utils.normalize_count(wrong, "units")


def test_normalize_padding_and_format():  # 15.8
    assert conv_utils.normalize_padding("SAME") == "same"
    assert conv_utils.normalize_data_format("Channels_First") == "channels_first"
    assert conv_utils.normalize_data_format(None) == "channels_last"
    with pytest.raises(ValueError, match="`padding` argument"):
        conv_utils.normalize_padding("big")
    with pytest.raises(ValueError, match="`data_format` argument"):
        conv_utils.normalize_data_format("last")


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        ((28, 3, "valid", 1), 26),
        ((28, 3, "same", 2), 14),
        ((28, 3, "full", 1), 30),
        ((28, 3, "valid", 1, 2), 24),
        ((28, 3, "causal", 1), 28),
        ((None, 3, "same", 1), None),
    ],
)
def test_conv_output_length(arguments, length):  # 15.8
    assert conv_utils.conv_output_length(*arguments) == length


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        ((14, 2, 3, "same"), 28),
        ((14, 2, 3, "valid"), 29),
        ((14, 2, 3, "full"), 25),
        ((14, 2, 3, "same", 1), 28),
        ((14, 2, 3, "valid", 1), 30),
        ((14, 1, 3, "valid", None, 2), 18),
        ((None, 2, 3, "same"), None),
    ],
)
def test_deconv_length(arguments, length):  # 15.8
    assert conv_utils.deconv_length(*arguments) == length


def test_conv_input_length():  # 15.8
    assert conv_utils.conv_input_length(26, 3, "valid", 1) == 28
    assert conv_utils.conv_input_length(None, 3, "valid", 1) is None


def test_convert_kernel_turns_by_180_degrees():  # 15.8
    kernel = np.arange(24).reshape(2, 3, 2, 2)
    turned = conv_utils.convert_kernel(kernel)
    assert (turned == kernel[::-1, ::-1]).all()
    assert (conv_utils.convert_kernel(turned) == kernel).all()
    with pytest.raises(ValueError, match="Invalid kernel shape"):
        conv_utils.convert_kernel(np.zeros((2, 2)))


def test_ask_to_proceed_with_overwrite(monkeypatch):  # 3.2.8
    from pykeras.utils.io_utils import ask_to_proceed_with_overwrite

    asked = []
    answers = iter(["what", "n"])

    def answer(question):
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("builtins.input", answer)
    assert ask_to_proceed_with_overwrite("a.h5") is False
    assert asked[0] == "[WARNING] a.h5 already exists - overwrite? [y/n]"
    monkeypatch.setattr("builtins.input", lambda question: "Y")
    assert ask_to_proceed_with_overwrite("a.h5") is True


# ---- checks for other packages


def test_get_test_data():  # 15.9
    from pykeras.utils.test_utils import get_test_data

    (x, y), (xt, yt) = get_test_data(20, 10, (3,), num_classes=4)
    assert (x.shape, y.shape, xt.shape, yt.shape) == ((20, 3), (20,), (10, 3), (10,))
    assert set(y) <= set(range(4))
    (x, y), _ = get_test_data(20, 10, (3, 2), (2,), classification=False)
    assert (x.shape, y.shape) == ((20, 3, 2), (20, 2))


def test_layer_test():  # 15.9
    from pykeras import layers
    from pykeras.utils.test_utils import keras_test, layer_test

    out = keras_test(layer_test)(layers.Dense, kwargs={"units": 3}, input_shape=(2, 4))
    assert out.shape == (2, 3)
    layer_test(
        layers.Activation, {"activation": "relu"}, input_data=-np.ones((2, 3), "float32"), expected_output=0
    )
    layer_test(layers.Conv1D, {"filters": 2, "kernel_size": 2}, input_shape=(2, 5, 3))

    class Wrong(layers.Layer):
        def call(self, x):
            return x[:, :1]

    with pytest.raises(AssertionError):
        layer_test(Wrong, input_shape=(2, 4))


@pytest.mark.parametrize(
    ("kind", "arguments", "shape", "fixed"),
    [
        ("BatchNormalization", {}, (3, 4), False),
        ("LSTM", {"units": 2, "dropout": 0.5}, (3, 4, 5), False),
        ("GRU", {"units": 2, "stateful": True}, (3, 4, 5), True),
        ("Embedding", {"input_dim": 11, "output_dim": 3}, (2, None), False),
        ("Dropout", {"rate": 0.5}, (3, 4), False),
    ],
)
def test_layer_test_of_layers_that_change(kind, arguments, shape, fixed):  # 15.9
    """Training, a phase or states of their own change what they return: that is no fault of theirs."""
    from pykeras import layers
    from pykeras.utils.test_utils import layer_test

    types = {"input_dtype": "int32", "expected_output_dtype": "float32"} if kind == "Embedding" else {}
    layer_test(getattr(layers, kind), arguments, input_shape=shape, fixed_batch_size=fixed, **types)


def faulty(fault):
    """A layer class with one fault."""
    from pykeras.layers import Layer

    class Mine(Layer):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.kernel = self.add_weight("kernel", (input_shape[-1], self.units), initializer="uniform")
            super().build(input_shape)

        def call(self, x):
            y = K.dot(x, self.kernel)
            return y + K.random_uniform((self.units,)) if fault == "call" else y

        def compute_output_shape(self, input_shape):
            return input_shape if fault == "shape" else (input_shape[0], self.units)

        def get_config(self):
            return super().get_config() | ({} if fault == "config" else {"units": self.units})

    return Mine


def test_layer_test_finds_faults():  # 15.9
    from pykeras.utils.test_utils import layer_test

    assert layer_test(faulty(None), {"units": 2}, input_shape=(2, 4)).shape == (2, 2)
    for fault in ("call", "shape", "config"):
        with pytest.raises((AssertionError, ValueError)):
            layer_test(faulty(fault), {"units": 2}, input_shape=(2, 4))
