"""The modules that examples share read the published formats."""

import importlib.util
import io
import random
import re
import tarfile
from pathlib import Path
from types import ModuleType

import numpy as np

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

STORY = b"""1 Mary moved to the bathroom.
2 John went to the hallway.
3 Where is Mary? \tbathroom\t1
4 Mary took the ball.
5 Where is the ball?\tbathroom\t1 4
1 Daniel went to the garden.
2 Where is Daniel?\tgarden\t1
"""


def helper(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stories_from_the_archive(tmp_path):
    stories = helper("babi_stories")
    path = tmp_path / "babi.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("tasks/qa.txt")
        entry.size = len(STORY)
        archive.addfile(entry, io.BytesIO(STORY))
    data = stories.from_archive(path, "tasks/qa.txt")
    first = "Mary moved to the bathroom .".split()
    second = "John went to the hallway .".split()
    taken = "Mary took the ball .".split()
    assert data == [
        (first + second, ["Where", "is", "Mary", "?"], "bathroom"),
        (first + second + taken, ["Where", "is", "the", "ball", "?"], "bathroom"),
        ("Daniel went to the garden .".split(), ["Where", "is", "Daniel", "?"], "garden"),
    ]
    supported = stories.from_archive(path, "tasks/qa.txt", only_supporting=True)
    assert [story for story, _, _ in supported[:2]] == [first, first + taken]


def test_invented_stories_answer_their_questions():
    stories = helper("babi_stories")
    for carried in (False, True):
        data = stories.invented(20, carried=carried, seed=3, only_supporting=True)
        assert len(data) >= 40
        assert all(answer in story for story, _, answer in data)
    assert stories.invented(5, seed=1) == stories.invented(5, seed=1) != stories.invented(5, seed=2)


def test_pairs_from_a_file(tmp_path):
    phrases = helper("phrases")
    path = tmp_path / "fra.txt"
    path.write_text("Go.\tVa !\tCC-BY 2.0\nHi.\tSalut !\n\nRun!\tCours !\n", encoding="utf-8")
    assert phrases.read_pairs(path, 2) == [("Go.", "Va !"), ("Hi.", "Salut !")]
    assert phrases.read_pairs(path, 10)[-1] == ("Run!", "Cours !")
    made = phrases.make_pairs()
    assert len(set(made)) == len(made) > 400
    assert ("She sees two birds today.", "Elle voit deux oiseaux aujourd'hui.") in made


def test_pictures_of_words(tmp_path):
    letters = helper("letters")
    source = random.Random(0)
    for rough in (False, True):
        picture = letters.draw("keras two", 128, 64, rough, source)
        assert picture.shape == (128, 64, 1)
        assert picture.dtype == np.float32
        assert picture.min() >= 0
        assert picture[:, 16:48].mean() > 0.05  # there is ink in the middle
    path = tmp_path / "words.txt"
    path.write_text("apple\nit's\nA\nBanana\nextraordinarily\n", encoding="utf-8")
    assert letters.read_words(path, 8) == ["apple", "banana"]
    assert all(re.fullmatch("[abc]{2,4}", word) for word in letters.make_words(50, 4, "abc", source))
    assert letters.distance("kitten", "sitting") == 3
    assert letters.distance("", "abc") == 3
    assert letters.distance("same", "same") == 0


def test_squeezenet_has_the_published_weights(shared_folder):
    vision = helper("vision")
    weights = shared_folder / "data" / "weights" / "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"
    model = vision.build("SqueezeNet", str(weights))
    assert model.count_params() == 722496
    assert model.get_layer("fire9/concat").output_shape == (None, None, None, 512)
    photo = vision.read_picture(shared_folder / "data" / "images" / "photos" / "chelsea.png", (128, 128))
    back = vision.from_network(vision.to_network(photo))
    np.testing.assert_array_equal(back, photo.astype("uint8"))
    assert model.predict(vision.to_network(photo)).shape == (1, 7, 7, 512)
