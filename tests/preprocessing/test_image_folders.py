"""Batches of image files, from folders and from tables (BEHAVIOURS 14.6, 14.8)."""

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pykeras.preprocessing.image import (
    DataFrameIterator,
    DirectoryIterator,
    ImageDataGenerator,
    _count_valid_files_in_directory,
    _iter_valid_files,
    _list_valid_filenames_in_directory,
    img_to_array,
    load_img,
)
from pykeras.utils import OrderedEnqueuer


def picture(number, mode="RGB"):
    values = np.random.RandomState(number).randint(0, 256, (7, 5, 3)).astype("uint8")
    return Image.fromarray(values).convert(mode)


@pytest.fixture
def pets(tmp_path):
    """Three classes: 4 cats (one in a folder of its own), 2 dogs, 2 emus; and files that are no images."""
    for number, name in enumerate(
        [
            "cats/a.png",
            "cats/b.JPG",
            "cats/in/c.bmp",
            "cats/z.ppm",
            "dogs/a.tif",
            "dogs/b.jpeg",
            "emus/1.png",
            "emus/2.png",
        ]
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    (tmp_path / "cats" / "list.txt").write_text("no image")
    (tmp_path / "read.me").write_text("no folder")
    return tmp_path


NAMES = [
    "cats/a.png",
    "cats/b.JPG",
    "cats/z.ppm",
    "cats/in/c.bmp",
    "dogs/a.tif",
    "dogs/b.jpeg",
    "emus/1.png",
    "emus/2.png",
]


def test_14_8_what_is_found(pets, capsys):
    flow = ImageDataGenerator().flow_from_directory(pets, target_size=(6, 4), shuffle=False, batch_size=3)
    assert capsys.readouterr().out == "Found 8 images belonging to 3 classes.\n"
    assert isinstance(flow, DirectoryIterator)
    assert flow.class_indices == {"cats": 0, "dogs": 1, "emus": 2}
    assert flow.filenames == NAMES  # folder by folder, sorted
    assert flow.filepaths == [f"{pets}/{name}" for name in NAMES]
    assert flow.classes.tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert flow.classes.dtype == np.int32
    assert (flow.samples, flow.n, flow.num_classes, flow.batch_size, len(flow)) == (8, 8, 3, 3, 3)
    assert flow.image_shape == (6, 4, 3)
    x, y = flow[1]
    want = [img_to_array(load_img(pets / name, target_size=(6, 4))) for name in NAMES[3:6]]
    np.testing.assert_array_equal(x, want)
    np.testing.assert_array_equal(y, [[1, 0, 0], [0, 1, 0], [0, 1, 0]])
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    assert ImageDataGenerator().flow_from_directory(pets).target_size == (256, 256)


@pytest.mark.parametrize(
    ("mode", "want"),
    [
        ("categorical", np.eye(2, dtype="float32")[[1, 1, 0, 0]]),
        ("binary", np.array([1, 1, 0, 0], "float32")),
        ("sparse", np.array([1, 1, 0, 0], "int32")),
    ],
)
def test_14_8_classes_in_the_order_given(pets, mode, want):
    flow = ImageDataGenerator().flow_from_directory(
        str(pets), classes=["emus", "dogs"], class_mode=mode, shuffle=False, color_mode="grayscale"
    )
    assert flow.class_indices == {"emus": 0, "dogs": 1}
    x, y = next(flow)
    assert x.shape == (4, 256, 256, 1)
    np.testing.assert_array_equal(y, want[::-1])
    assert y.dtype == want.dtype


def test_14_8_other_class_modes_and_colours(pets):
    generator = ImageDataGenerator(horizontal_flip=True, data_format="channels_first")
    x, y = next(
        generator.flow_from_directory(pets, class_mode="input", color_mode="rgba", target_size=(6, 4))
    )
    assert x.shape == (8, 4, 6, 4)
    np.testing.assert_array_equal(x, y)
    assert x is not y
    assert next(generator.flow_from_directory(pets, class_mode=None, target_size=(6, 4))).shape == (
        8,
        3,
        6,
        4,
    )


def test_14_6_subsets_of_each_class(pets):
    generator = ImageDataGenerator(validation_split=0.5)
    validation = generator.flow_from_directory(pets, subset="validation", shuffle=False)
    training = generator.flow_from_directory(pets, subset="training", shuffle=False)
    assert validation.filenames == ["cats/a.png", "cats/b.JPG", "dogs/a.tif", "emus/1.png"]
    assert training.filenames == ["cats/z.ppm", "cats/in/c.bmp", "dogs/b.jpeg", "emus/2.png"]
    assert training.classes.tolist() == [0, 0, 1, 2]


def test_private_helpers(pets):
    """21: what scripts take from here to count and list files as flow_from_directory does."""
    cats, formats = str(pets / "cats"), {"png", "jpg", "bmp"}
    found = [(cats, "a.png"), (cats, "b.JPG"), (f"{cats}/in", "c.bmp")]
    assert list(_iter_valid_files(cats, formats, False)) == found
    assert _count_valid_files_in_directory(cats, formats, None, False) == 3
    assert _count_valid_files_in_directory(cats, formats, (0.5, 1), False) == 2
    for folder in (cats, cats + "/"):
        assert _list_valid_filenames_in_directory(folder, formats, (0, 0.7), {"cats": 4}, True) == (
            [4, 4],
            ["cats/a.png", "cats/b.JPG"],
        )


def test_14_8_links(pets, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    picture(9).save(elsewhere / "x.png")
    os.symlink(elsewhere, pets / "dogs" / "linked")
    assert ImageDataGenerator().flow_from_directory(pets).samples == 8
    assert ImageDataGenerator().flow_from_directory(pets, follow_links=True).samples == 9


def test_14_8_shuffled_and_seeded_with_threads(pets):
    def batches(workers):
        generator = ImageDataGenerator(rotation_range=30, rescale=1 / 255)
        enqueuer = OrderedEnqueuer(generator.flow_from_directory(pets, (6, 4), seed=4, batch_size=3))
        enqueuer.start(workers=workers)
        reader = enqueuer.get()
        made = [next(reader) for _ in range(6)]
        enqueuer.stop()
        return made

    one, four = batches(1), batches(4)
    for a, b in zip(one, four):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    assert not np.array_equal(one[0][0], one[3][0])


def test_saved_pictures(pets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    flow = ImageDataGenerator().flow_from_directory(
        pets, save_to_dir=folder, save_prefix="aug", target_size=(6, 4), shuffle=False
    )
    next(flow)
    assert sorted(int(path.name.split("_")[1]) for path in folder.glob("aug_*.png")) == list(range(8))
    flow = ImageDataGenerator().flow_from_directory(
        pets, save_to_dir=folder, save_format="jpg", target_size=(6, 4), color_mode="rgba", batch_size=1
    )
    with pytest.warns(UserWarning, match="does not support RGBA"):
        next(flow)
    assert len(list(folder.glob("_*.jpg"))) == 1


def test_mixed_modes_in_one_folder(tmp_path):
    (tmp_path / "all").mkdir()
    for number, mode in enumerate(["L", "RGBA", "P", "1", "RGB", "LA"]):
        picture(0, mode).save(tmp_path / "all" / f"{number}.png")
    Image.fromarray(np.asarray(picture(0, "L")).astype("uint16") * 257).save(tmp_path / "all" / "deep.png")
    x, _ = next(ImageDataGenerator().flow_from_directory(tmp_path, target_size=(7, 5), shuffle=False))
    assert x.shape == (7, 7, 5, 3)
    np.testing.assert_array_equal(x[6], x[0])  # 16 bits, the same grey
    np.testing.assert_array_equal(x[1], x[4])


def test_folder_errors(pets, tmp_path):
    flow = ImageDataGenerator().flow_from_directory
    with pytest.raises(FileNotFoundError, match="nowhere"):
        flow(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no folder for class 'cows' in .* Its folders: cats, dogs, emus"):
        flow(pets, classes=["cats", "cows"])
    with pytest.raises(ValueError, match=r"Class 'cats' is named twice in `classes`"):
        flow(pets, classes=["cats", "dogs", "cats"])
    with pytest.raises(ValueError, match="Invalid color mode: 'bgr'"):
        flow(pets, color_mode="bgr")
    with pytest.raises(
        ValueError, match="Invalid class_mode: 'one'; expected one of 'categorical', 'binary'"
    ):
        flow(pets, class_mode="one")
    with pytest.raises(ValueError, match='Invalid subset name: val; expected "training" or "validation"'):
        flow(pets, subset="val")
    with pytest.raises(ValueError, match="`target_size` must be two positive integers"):
        flow(pets, target_size=(64, 64, 3))
    with pytest.raises(ValueError, match="Invalid interpolation method"):
        next(flow(pets, target_size=(2, 2), interpolation="best"))


def test_empty_folders(tmp_path, capsys):
    (tmp_path / "nothing").mkdir()
    flow = ImageDataGenerator().flow_from_directory(tmp_path)
    assert capsys.readouterr().out == "Found 0 images belonging to 1 classes.\n"
    assert len(flow) == 0
    with pytest.raises(ValueError, match="There are no images"):
        next(flow)
    with pytest.raises(ValueError, match="there are no images"):
        flow[0]


def test_broken_file_names_itself(pets):
    (pets / "dogs" / "broken.png").write_bytes(b"\x89PNG but no more")
    flow = ImageDataGenerator().flow_from_directory(pets, batch_size=20)
    with pytest.raises(OSError, match=r"Cannot read the image .*dogs/broken.png"):
        next(flow)


def test_tiff_warning(tmp_path):
    (tmp_path / "a").mkdir()
    picture(0).save(tmp_path / "a" / "x.tiff")
    with pytest.warns(UserWarning, match="multiple bands will cause distortion"):
        ImageDataGenerator().flow_from_directory(tmp_path)


# ------------------------------------------------------------------------------------------------- tables


def table(**columns):
    return pd.DataFrame({"filename": NAMES, "class": [name.split("/")[0] for name in NAMES], **columns})


def test_dataframe_by_class(pets, capsys):
    flow = ImageDataGenerator().flow_from_dataframe(table(), pets, target_size=(6, 4), shuffle=False)
    assert capsys.readouterr().out == "Found 8 validated image filenames belonging to 3 classes.\n"
    assert isinstance(flow, DataFrameIterator)
    assert flow.class_indices == {"cats": 0, "dogs": 1, "emus": 2}
    x, y = next(flow)
    folder = ImageDataGenerator().flow_from_directory(pets, target_size=(6, 4), shuffle=False)
    np.testing.assert_array_equal(x, folder[0][0])
    np.testing.assert_array_equal(y, folder[0][1])
    assert flow.filenames == NAMES
    assert flow.filepaths == folder.filepaths
    for mode in ("sparse", "binary"):
        two = ["emus", "dogs"]
        flow = ImageDataGenerator().flow_from_dataframe(
            table(), pets, target_size=(6, 4), shuffle=False, class_mode=mode, classes=two
        )
        y = next(flow)[1]
        np.testing.assert_array_equal(y, [1, 1, 0, 0])
        assert y.dtype == ("int32" if mode == "sparse" else "float32")


def test_dataframe_targets(pets):
    data = table(a=np.arange(8.0), b=np.arange(8) * 2, w=np.linspace(0, 1, 8))
    flow = ImageDataGenerator().flow_from_dataframe
    settings = {"target_size": (6, 4), "shuffle": False, "batch_size": 3}
    np.testing.assert_array_equal(flow(data, pets, y_col="a", class_mode="raw", **settings)[1][1], [3, 4, 5])
    both = flow(data, pets, y_col=["a", "b"], class_mode="other", **settings)
    np.testing.assert_array_equal(both[1][1], [[3, 6], [4, 8], [5, 10]])
    np.testing.assert_array_equal(both.labels[:, 0], np.arange(8))
    a, b = flow(data, pets, y_col=["a", "b"], class_mode="multi_output", **settings)[1][1]
    np.testing.assert_array_equal((a, b), [[3, 4, 5], [6, 8, 10]])
    x, y, w = flow(data, pets, weight_col="w", **settings)[1]
    np.testing.assert_allclose(w, np.linspace(0, 1, 8)[3:6])
    x, y = flow(data, pets, class_mode="input", **settings)[1]
    np.testing.assert_array_equal(x, y)
    assert flow(data.drop(columns="class"), pets, class_mode=None, **settings)[1].shape == (3, 6, 4, 3)


def test_dataframe_classes_that_are_numbers(pets):
    """As 2.2.4 has it; 2.3 wants strings. Sorted, so that the classes 0, 1 … keep their numbers."""
    data = table(n=[1, 0, 1, 2, 2, 0, 1, 1], b=[True, False] * 4, f=[0.5, 2.0] * 4)
    flow = ImageDataGenerator().flow_from_dataframe
    by_number = flow(data, pets, y_col="n", target_size=(6, 4), shuffle=False)
    assert by_number.class_indices == {0: 0, 1: 1, 2: 2}
    np.testing.assert_array_equal(next(by_number)[1], np.eye(3)[data["n"]])
    binary = flow(data, pets, y_col=["b"], class_mode="binary", target_size=(6, 4), shuffle=False)
    np.testing.assert_array_equal(next(binary)[1], data["b"])
    some = flow(data, pets, y_col="n", class_mode="sparse", classes=[2, 1, 2], shuffle=False)
    assert (some.class_indices, some.classes.tolist()) == ({2: 0, 1: 1}, [1, 1, 0, 0, 1, 1])
    assert flow(data, pets, y_col="f", class_mode="sparse").class_indices == {0.5: 0, 2.0: 1}


def test_dataframe_with_several_classes_per_row(pets):
    data = table(tags=[["x"], ["y", "x"], ("y",), ["z"], ["x", "z"], "y", ["q"], ["x", "q"]])
    flow = ImageDataGenerator().flow_from_dataframe(
        data, pets, y_col="tags", classes=["z", "x", "y"], target_size=(6, 4), shuffle=False
    )
    want = [[0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0]]  # one row has none
    np.testing.assert_array_equal(next(flow)[1], want)


def test_dataframe_subsets_full_paths_and_names_without_ending(pets):
    generator = ImageDataGenerator(validation_split=0.25)
    full = table(filename=[str(pets / name) for name in NAMES])
    validation = generator.flow_from_dataframe(full, subset="validation", shuffle=False)
    assert validation.filepaths == [str(pets / name) for name in NAMES[:2]]
    assert generator.flow_from_dataframe(full, subset="training").samples == 6
    short = table(filename=[name.rsplit(".", 1)[0] for name in NAMES])
    assert generator.flow_from_dataframe(short, pets, has_ext=False).filenames == NAMES
    assert generator.flow_from_dataframe(short, pets, "filename", "class", False).filenames == NAMES
    twice = pd.concat([table(), table()])
    assert generator.flow_from_dataframe(twice, pets).samples == 16
    assert generator.flow_from_dataframe(twice, pets, drop_duplicates=True).samples == 8


def test_dataframe_without_generator(pets):
    flow = DataFrameIterator(table(), str(pets), target_size=(6, 4), shuffle=False, save_to_dir=None)
    np.testing.assert_array_equal(flow[0][0][2], img_to_array(load_img(pets / NAMES[2], target_size=(6, 4))))


def test_dataframe_missing_files(pets):
    data = table()
    data.loc[1, "filename"] = "cats/gone.png"
    data.loc[2, "filename"] = "cats/list.txt"
    with pytest.warns(
        UserWarning, match=r'Found 2 invalid image filename\(s\) in x_col="filename", such as \'cats/gone'
    ):
        assert ImageDataGenerator().flow_from_dataframe(data, pets).samples == 6
    flow = ImageDataGenerator().flow_from_dataframe(data, pets, validate_filenames=False)
    assert flow.samples == 8
    with pytest.raises(FileNotFoundError, match=r"gone.png"):
        ImageDataGenerator().flow_from_dataframe(data[1:2], pets, validate_filenames=False)[0]


def test_dataframe_errors(pets):
    flow = ImageDataGenerator().flow_from_dataframe
    with pytest.raises(ValueError, match=r"no column 'id'. Its columns: filename, class"):
        flow(table(), pets, x_col="id")
    with pytest.raises(ValueError, match="no column 'label'"):
        flow(table(), pets, y_col="label")
    with pytest.raises(TypeError, match=r"must be strings. Found: 3"):
        flow(table(filename=3), pets)
    for wrong in ([None] * 8, [float("nan")] * 8, ["a"] * 7 + [1]):
        with pytest.raises(TypeError, match=r"column values must be strings, or all be numbers, or lists of"):
            flow(table(n=pd.Series(wrong, dtype=object)), pets, y_col="n")
    with pytest.raises(TypeError, match=r"y_col must be one column. Received \['class', 'filename'\]"):
        flow(table(), pets, y_col=["class", "filename"])
    with pytest.raises(TypeError, match='If class_mode="sparse", each row must have one class'):
        flow(table(n=[["a"]] * 8), pets, y_col="n", class_mode="sparse")
    with pytest.raises(ValueError, match=r'If class_mode="binary" there must be 2 classes. Found 3 classes'):
        flow(table(), pets, class_mode="binary")
    with pytest.raises(ValueError, match=r"No row has class 'cow' .* Classes there: cats, dogs, emus"):
        flow(table(), pets, classes=["cow"])
    with pytest.warns(UserWarning, match="No row has class 'cow'"):  # a part of a data set may lack one
        assert flow(table(), pets, classes=["cow", "dogs"]).class_indices == {"cow": 0, "dogs": 1}
    with pytest.raises(TypeError, match=r"y_col must be a list. Received 'class'"):
        flow(table(), pets, class_mode="multi_output")
    with pytest.raises(TypeError, match="must be numeric datatypes"):
        flow(table(), pets, class_mode="other")
    with pytest.raises(TypeError, match="Column weight_col=class must be numeric"):
        flow(table(), pets, weight_col="class")
    with pytest.raises(ValueError, match="Invalid class_mode: 'one'"):
        flow(table(), pets, class_mode="one")
    with pytest.warns(UserWarning, match="`classes` will be ignored"):
        flow(table(), pets, class_mode="input", classes=["dogs"])
