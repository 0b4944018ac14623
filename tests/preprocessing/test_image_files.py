"""Images in files and as arrays (BEHAVIOURS 14.1), and files that are broken or of other modes."""

import io
import sys
import warnings

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from pykeras.preprocessing.image import array_to_img, img_to_array, list_pictures, load_img, save_img


@pytest.fixture
def colours(tmp_path):
    """A PNG of 6 × 4 pixels, and its values."""
    values = np.random.RandomState(0).randint(0, 256, (6, 4, 3)).astype("uint8")
    Image.fromarray(values).save(tmp_path / "colours.png")
    return tmp_path / "colours.png", values


def test_14_1_load_img(colours):
    path, values = colours
    image = load_img(path)
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), values)
    assert load_img(str(path), grayscale=True).mode == "L"
    assert load_img(path, True, (3, 2)).size == (2, 3)  # (height, width), by position as in 2.1.6
    assert load_img(path, color_mode="grayscale").mode == "L"
    assert load_img(path, color_mode="rgba").mode == "RGBA"
    assert load_img(io.BytesIO(path.read_bytes())).size == (4, 6)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"])
def test_14_1_interpolation(colours, method):
    path, values = colours
    got = load_img(path, target_size=(9, 3), interpolation=method)
    want = Image.fromarray(values).resize((3, 9), getattr(Image.Resampling, method.upper()))
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
    default = Image.fromarray(values).resize((3, 9), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(np.asarray(load_img(path, target_size=(9, 3))), np.asarray(default))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "HSV"])
@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
def test_files_of_any_mode(tmp_path, mode, color_mode):
    image = Image.fromarray(np.random.RandomState(1).randint(0, 256, (5, 4, 3)).astype("uint8")).convert(mode)
    path = tmp_path / ("x.tif" if mode in ("CMYK", "HSV") else "x.png")
    if mode == "HSV":
        image = image.convert("YCbCr")
        path = tmp_path / "x.jpg"
    image.save(path)
    got = load_img(path, color_mode=color_mode)
    with Image.open(path) as plain:
        want = plain.convert({"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}[color_mode])
    assert got.mode == want.mode
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


@pytest.mark.parametrize("color_mode", ["rgb", "grayscale"])
def test_files_with_16_bits_are_not_cut_off(tmp_path, color_mode):
    values = np.array([[0, 255, 256], [40000, 65535, 513]], "uint16")
    Image.fromarray(values).save(tmp_path / "deep.png")
    got = np.asarray(load_img(tmp_path / "deep.png", color_mode=color_mode))
    np.testing.assert_array_equal(got if got.ndim == 2 else got[..., 1], values >> 8)
    Image.fromarray(values.astype("int32")).save(tmp_path / "deep.tif")  # mode I
    got = np.asarray(load_img(tmp_path / "deep.tif", color_mode=color_mode))
    np.testing.assert_array_equal(got if got.ndim == 2 else got[..., 1], values >> 8)


def test_files_with_numbers_that_are_no_colours(tmp_path):
    for name, values in [
        ("float", np.array([[0.5, 700.0]], "float32")),
        ("int", np.array([[-1, 9]], "int32")),
    ]:
        Image.fromarray(values).save(tmp_path / f"{name}.tif")
        with pytest.raises(ValueError, match=r"which are no colours: open it with PIL.Image.open"):
            load_img(tmp_path / f"{name}.tif")
    Image.fromarray(np.array([[0.0, 200.7]], "float32")).save(tmp_path / "fine.tif")
    np.testing.assert_array_equal(np.asarray(load_img(tmp_path / "fine.tif", True)), [[0, 200]])


def test_broken_files(colours, tmp_path):
    path, _ = colours
    (tmp_path / "cut.png").write_bytes(path.read_bytes()[:60])
    (tmp_path / "text.png").write_text("no image at all")
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("cut", "text", "empty"):
        with pytest.raises(OSError, match=f"Cannot read the image .*{name}.png"):
            load_img(tmp_path / f"{name}.png")
    (tmp_path / "page.png").write_text("<html>")
    with pytest.raises(
        UnidentifiedImageError, match=r"Cannot read the image .*page.png"
    ):  # Pillow's own kind
        load_img(tmp_path / "page.png")
    with pytest.raises(FileNotFoundError, match=r"none.png"):
        load_img(tmp_path / "none.png")


def test_load_img_errors(colours):
    path, _ = colours
    with pytest.raises(
        ValueError, match=r"Invalid interpolation method cubic specified. Supported methods are nearest"
    ):
        load_img(path, target_size=(2, 2), interpolation="cubic")
    with pytest.raises(ValueError, match="Invalid color mode: 'bgr'"):
        load_img(path, color_mode="bgr")
    for size in [(2,), (2, 3, 3), 5, (0, 2), (2, -1), (2.5, 2), "ab", (None, 2)]:
        with pytest.raises(ValueError, match="`target_size` must be two positive integers"):
            load_img(path, target_size=size)


def test_14_1_img_to_array():
    grey = Image.fromarray(np.arange(6, dtype="uint8").reshape(2, 3))
    x = img_to_array(grey)
    assert (x.shape, x.dtype) == ((2, 3, 1), np.float32)
    np.testing.assert_array_equal(x[..., 0], np.arange(6).reshape(2, 3))
    assert img_to_array(grey, "channels_first").shape == (1, 2, 3)
    colour = Image.new("RGB", (3, 2), (1, 2, 3))
    np.testing.assert_array_equal(img_to_array(colour, "channels_first")[:, 0, 0], [1, 2, 3])
    assert img_to_array(colour, dtype="uint8").dtype == np.uint8
    with pytest.raises(ValueError, match=r"Unsupported image shape: \(2,\)"):
        img_to_array(np.zeros(2))
    with pytest.raises(ValueError, match="data_format"):
        img_to_array(colour, "channels_middle")


def test_14_1_array_to_img():
    x = np.array([[[-1.0, 0, 1]], [[3, 1, 0.5]]])
    want = ((x + 1) / 4 * 255).astype("uint8")
    np.testing.assert_array_equal(np.asarray(array_to_img(x)), want)
    np.testing.assert_array_equal(np.asarray(array_to_img(x.transpose(2, 0, 1), "channels_first")), want)
    positive = x + 2  # only negative images are raised
    np.testing.assert_array_equal(np.asarray(array_to_img(positive)), (positive / 5 * 255).astype("uint8"))
    np.testing.assert_array_equal(np.asarray(array_to_img(np.full((1, 1, 1), 7.9), scale=False)), [[7]])
    assert array_to_img(np.zeros((2, 3, 1))).mode == "L"
    assert array_to_img(np.zeros((2, 3, 4))).mode == "RGBA"
    with pytest.raises(ValueError, match=r"rank 3 \(single image\). Got array with shape: \(2, 2\)"):
        array_to_img(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="Unsupported channel number: 2"):
        array_to_img(np.zeros((2, 2, 2)))


def test_save_img(tmp_path):
    x = np.random.RandomState(0).randint(0, 256, (5, 4, 3)).astype("float32")
    x[0, 0] = 255, 0, 0
    save_img(tmp_path / "x.png", x)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "x.png")), x)
    save_img(str(tmp_path / "y.png"), x.transpose(2, 0, 1), data_format="channels_first", scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "y.png")), x)
    buffer = io.BytesIO()
    save_img(buffer, x, file_format="jpg", quality=90)
    assert Image.open(buffer).format == "JPEG"
    with pytest.warns(UserWarning, match="does not support RGBA"):
        save_img(tmp_path / "z.jpg", np.zeros((2, 2, 4)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_img(tmp_path / "z.png", np.zeros((2, 2, 4)))
    with pytest.raises(ValueError, match="unknown file extension"):
        save_img(tmp_path / "x.picture", x)
    with pytest.raises(ValueError, match="Unknown `file_format` 'picture': take what Pillow can write"):
        save_img(tmp_path / "x.png", x, file_format="picture")


def test_list_pictures(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b.png", "a.JPG", "c.txt", "in/d-1.jpeg", "e.png.bak", "f.tif"):
        (tmp_path / name).write_bytes(b"")
    root = str(tmp_path)
    assert list_pictures(root) == [f"{root}/a.JPG", f"{root}/b.png", f"{root}/in/d-1.jpeg"]
    assert list_pictures(root, "tif") == [f"{root}/f.tif"]
    assert list_pictures(root, ("tif", "jpg")) == [f"{root}/a.JPG", f"{root}/f.tif"]


def test_without_pillow(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    for call in (lambda: load_img("x.png"), lambda: array_to_img(np.zeros((2, 2, 3)))):
        with pytest.raises(ImportError, match="needs Pillow: pip install pillow"):
            call()
