"""Reading digits from image files: how an image becomes one of MNIST's, and what a user of predict.py sees."""

import json
import re
import runpy
import sys
import warnings
from unittest.mock import MagicMock, Mock

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

import photographs
import predict
import programs
from command_line import named_by
from helpers import ROOT, link
from ink import as_mnist, bounds

SCRIPT = ROOT / "mlengine" / "predict.py"
SAMPLES = ROOT / "mlengine" / "samples"


def seven(width=300, height=300, box=(100, 60, 200, 240), line=24):
    """The ink of a 7 [height, width] whose lines run along a box."""
    left, top, right, bottom = box
    image = Image.new("L", (width, height))
    corners = [(left, top), (right, top), ((left + right) // 2, bottom)]
    ImageDraw.Draw(image).line(corners, fill=255, width=line)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(1)), np.float32) / 255


def save(folder, grey, name="digit.png", **options):
    Image.fromarray(np.round(np.clip(grey, 0, 1) * 255).astype(np.uint8)).save(str(folder / name), **options)
    return str(folder / name)


def difference(one, other):
    return np.abs(one - other).mean()


@pytest.fixture
def reference(tmp_path):
    """The 7 as it is read from a clean image, dark on light."""
    return predict.read_digit(save(tmp_path, 1 - seven(), "reference.png"))


# ------------------------------------------------------------------------------------------------------- preprocessing


@pytest.mark.parametrize("box", [(100, 60, 200, 240), (20, 130, 280, 170), (140, 20, 160, 280)])
def test_a_digit_fills_a_box_of_20_pixels_with_its_centre_of_mass_in_the_middle(tmp_path, box):
    digit = predict.read_digit(save(tmp_path, 1 - seven(box=box)))
    assert digit.shape == (28, 28) and digit.min() == 0 and digit.max() == 1
    top, left, bottom, right = bounds(digit > 0)
    assert max(bottom - top, right - left) == 20
    rows, columns = np.arange(28) @ digit.sum(axis=1), np.arange(28) @ digit.sum(axis=0)
    # half a pixel, as it was moved by whole ones, unless the box of 20 would leave the image
    assert abs(rows / digit.sum() - 14) <= 0.51 or top == 0 or bottom == 28
    assert abs(columns / digit.sum() - 14) <= 0.51 or left == 0 or right == 28


def test_the_most_of_faint_ink_is_1_in_256_shades():
    digit = as_mnist(0.6 * seven())
    assert digit.max() == 1 and (digit.dtype, digit.shape) == (np.float32, (28, 28))
    assert (digit * 255 == np.round(digit * 255)).all() and len(np.unique(digit)) > 20


def test_less_than_a_tenth_of_ink_is_none():
    smudge = np.zeros([28, 28])
    smudge[2:5, 20:26] = 0.09
    assert as_mnist(smudge) is None and as_mnist(np.zeros([28, 28])) is None
    line = np.zeros([28, 28])
    line[5:25, 8:11] = 1
    assert abs(as_mnist(line + smudge).sum() - as_mnist(line).sum()) < 2
    assert as_mnist(1.3 * smudge).max() == 1


def test_a_digit_with_its_mass_at_one_end_is_moved_no_further_than_to_the_edge():
    ink = np.zeros([20, 20])
    ink[:15, 9:11] = ink[15:] = 1
    for turns, place in enumerate([np.s_[:20, 4:24], np.s_[4:24, :20], np.s_[8:, 4:24], np.s_[4:24, 8:]]):
        expected = np.zeros([28, 28])
        expected[place] = np.rot90(ink, turns)
        assert (as_mnist(np.rot90(ink, turns)) == expected).all()


def test_faint_ink_is_read_as_long_as_it_stands_out(tmp_path, reference):
    assert difference(predict.read_digit(save(tmp_path, 0.8 - 0.12 * seven())), reference) < 0.02
    with pytest.raises(predict.InputError, match="shows no ink that stands out from the paper"):
        predict.read_digit(save(tmp_path, 0.8 - 0.05 * seven()))
    noise = np.random.RandomState(0).normal(0, 0.06, [300, 300])
    assert difference(predict.read_digit(save(tmp_path, 0.8 - 0.15 * seven() + noise)), reference) < 0.1
    with pytest.raises(predict.InputError, match="shows no ink that stands out from the paper"):
        predict.read_digit(save(tmp_path, 0.8 + noise))


def test_light_on_dark_is_read_like_dark_on_light(tmp_path, reference):
    assert difference(predict.read_digit(save(tmp_path, seven())), reference) < 0.005


@pytest.mark.parametrize("size", [60, 150, 600, 2000, 4000])
def test_images_of_any_size_are_read_alike(tmp_path, reference, size):
    Image.fromarray(np.uint8(255 * (1 - seven()))).resize((size, size), Image.BICUBIC).save(str(tmp_path / "sized.png"))
    assert difference(predict.read_digit(str(tmp_path / "sized.png")), reference) < 0.03


def test_an_image_of_20_pixels_has_enough_of_them(tmp_path):
    ink = np.zeros([20, 20])
    ink[2:5, 4:16] = ink[5:18, 11:14] = 1
    digit = predict.read_digit(save(tmp_path, 1 - ink))
    top, left, bottom, right = bounds(digit > 0)
    assert max(bottom - top, right - left) == 20 and digit[top : top + 3, left + 1 : right - 1].min() > 0.9


def test_an_mnist_digit_passes_nearly_unchanged(tmp_path):
    import mnistdata

    images = mnistdata.read_data_sets(str(ROOT / "data"), reshape=False).test.images[:100, :, :, 0]
    differences = [difference(predict.read_digit(save(tmp_path, image)), image) for image in images]
    assert np.median(differences) < 0.003 and np.mean(differences) < 0.01


def test_a_small_digit_in_a_corner_and_a_tight_crop_are_read_alike(tmp_path, reference):
    corner = np.zeros([900, 1200])
    corner[580:880, 880:1180] = seven()
    assert difference(predict.read_digit(save(tmp_path, 1 - corner)), reference) < 0.02
    top, left, bottom, right = bounds(seven() > 0.5)
    tight = seven()[top:bottom, left:right]
    assert difference(predict.read_digit(save(tmp_path, 1 - tight)), reference) < 0.02


def test_uneven_light_noise_and_jpeg_do_not_matter(tmp_path, reference):
    y, x = np.mgrid[0:1:300j, 0:1:300j]
    light = 0.9 - 0.4 * x - 0.2 * y * y
    photo = light * (1 - 0.7 * seven()) + np.random.RandomState(0).normal(0, 0.03, [300, 300])
    assert difference(predict.read_digit(save(tmp_path, photo, "photo.jpg", quality=60)), reference) < 0.02


@pytest.mark.parametrize("angle, place", [(0, (150, 60)), (8, (150, 60)), (0, (0, 60)), (0, (300, 200))])
def test_a_sheet_of_paper_on_a_darker_table_is_read_alone(tmp_path, angle, place):
    sheet = Image.fromarray(np.uint8(230 - 180 * seven()))
    table = Image.new("L", (600, 500), 70)
    table.paste(sheet.rotate(angle, Image.BICUBIC, expand=True, fillcolor=70), place)
    alone = sheet.rotate(angle, Image.BICUBIC, expand=True, fillcolor=230)
    expected = predict.read_digit(save(tmp_path, np.asarray(alone) / 255))
    assert difference(predict.read_digit(save(tmp_path, np.asarray(table) / 255)), expected) < 0.01


def test_specks_are_left_out_and_a_detached_part_is_kept(tmp_path, reference):
    specks = seven()
    specks[20:24, 20:24] = specks[270:273, 30:36] = 1
    assert difference(predict.read_digit(save(tmp_path, 1 - specks)), reference) < 0.005
    parts = seven()
    parts[100:112] = 0  # a gap below the bar
    digit = predict.read_digit(save(tmp_path, 1 - parts))
    assert difference(digit, reference) < 0.08 and digit[:10].any() and digit[16:].any()
    small_part = seven()
    small_part[:, 140:158] = 0  # a gap in the bar; left of it, a fifth of the ink
    assert difference(predict.read_digit(save(tmp_path, 1 - small_part)), as_mnist(small_part)) < 0.02


def test_marks_elsewhere_on_the_sheet_are_left_out(tmp_path, reference):
    beside, below, not_far = (
        (slice(100, 130), slice(700, 730)),
        (slice(700, 730), slice(150, 180)),
        np.s_[100:130, 290:320],
    )
    for rows, columns in (beside, below, not_far):
        sheet = np.zeros([900, 900])
        sheet[:300, :300] = seven()
        sheet[rows, columns] = 1
        assert difference(predict.read_digit(save(tmp_path, 1 - sheet)), reference) < 0.02


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_thumb_at_a_side_of_the_photo_is_left_out(tmp_path, reference, side):
    sheet = np.zeros([900, 900])
    sheet[300:600, 300:600] = seven()
    rows, columns = {
        "left": np.s_[400:600, :140],
        "top": np.s_[:140, 400:600],
        "right": np.s_[400:600, 760:],
        "bottom": np.s_[760:, 400:600],
    }[side]
    sheet[rows, columns] = 1
    assert difference(predict.read_digit(save(tmp_path, 1 - sheet)), reference) < 0.02


def test_a_thin_line_is_made_as_wide_as_mnists(tmp_path):
    thin = predict.read_digit(save(tmp_path, 1 - seven(line=2)))
    assert 0.04 < thin.mean() < 0.12


def test_transparent_paper_with_black_ink_and_with_white_ink(tmp_path, reference):
    noise = np.random.RandomState(0).randint(0, 256, [300, 300, 3])
    for shade, hidden in ((0, 0), (255, 255), (0, noise)):  # a colour below nothing is not seen
        pixels = np.full([300, 300, 4], shade, np.uint8)
        pixels[..., 3] = np.round(seven() * 255)
        pixels[..., :3] = np.where(pixels[..., 3:] == 0, hidden, shade)
        Image.fromarray(pixels).save(str(tmp_path / "transparent.png"))
        assert difference(predict.read_digit(str(tmp_path / "transparent.png")), reference) < 0.005


@pytest.mark.parametrize("ink, paper", [((200, 40, 40), (40, 140, 60)), ((250, 230, 40), (255, 255, 255))])
@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_colours_that_differ_in_hue_only(tmp_path, reference, ink, paper, mode):
    share = seven()[..., np.newaxis]
    image = Image.fromarray(np.uint8(share * ink + (1 - share) * paper)).convert(mode)
    image.save(str(tmp_path / "colour.png"))
    assert difference(predict.read_digit(str(tmp_path / "colour.png")), reference) < 0.02


@pytest.mark.parametrize("mode", ["P", "1", "L"])
def test_a_large_image_is_made_small_by_its_colours_and_not_by_their_numbers(tmp_path, mode):
    ink = seven(2000, 2400, (300, 200, 1800, 2200), line=5) > 0.5  # lines that get lost where pixels are left out
    expected = predict.read_digit(save(tmp_path, 1 - ink))
    image = Image.fromarray(np.uint8(ink))
    image.putpalette([255, 255, 255, 0, 0, 0] + [9, 9, 9] * 254)
    image = image if mode == "P" else Image.fromarray(np.uint8(255 - 255 * ink)).convert("1")
    options = {}
    if mode == "L":  # the one shade that is transparent is that of the paper
        image, options = Image.fromarray(np.uint8(255 - ink)), {"transparency": 255}
    image.save(str(tmp_path / "large.png"), **options)
    assert difference(predict.read_digit(str(tmp_path / "large.png")), expected) < 0.005


@pytest.mark.parametrize("white", [65535, 4095])
def test_sixteen_bits_a_pixel(tmp_path, reference, white):
    Image.fromarray(np.uint16(white * (1 - seven()))).save(str(tmp_path / "deep.png"))
    assert difference(predict.read_digit(str(tmp_path / "deep.png")), reference) < 0.005


def test_the_rotation_that_a_camera_noted_is_undone(tmp_path, reference):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise by a quarter to see it upright
    Image.fromarray(np.rot90(np.uint8(255 * (1 - seven())))).save(str(tmp_path / "turned.jpg"), exif=exif)
    assert difference(predict.read_digit(str(tmp_path / "turned.jpg")), reference) < 0.01


def test_photographs_are_read_as_they_were_when_somebody_looked_at_them(tmp_path):
    """tests/support/looks.py keeps what was read, and makes it anew after a change that is meant."""
    with Image.open(str(ROOT / "tests" / "looks" / "photographs.png")) as image:
        kept = np.split(np.array(image, int), len(photographs.photographs()), axis=1)
    for name, digit, then in zip(
        photographs.photographs(), np.split(photographs.read(tmp_path), len(kept), axis=1), kept
    ):
        assert abs(digit.astype(int) - then).max() <= 3, name


def test_samples_are_ten_images_each_with_ink():
    digits = [predict.read_digit(str(SAMPLES / f"{digit}.png")) for digit in range(10)]
    assert all(0.05 < digit.mean() < 0.3 for digit in digits)


def test_a_request_has_the_very_numbers_of_the_digits():
    digits = [predict.read_digit(str(SAMPLES / f"{digit}.png")) for digit in range(3)]
    body = json.loads(predict.request_body(digits))
    assert list(body) == ["instances"] and [list(instance) for instance in body["instances"]] == [["image"]] * 3
    assert np.array_equal([instance["image"] for instance in body["instances"]], digits)
    assert (np.round(digits, 4) == digits).all()  # more decimals would make it long


@pytest.mark.parametrize(
    "error, sentence",
    [
        (MemoryError(), "is too large (out of memory), expected a photo of one digit: make it smaller"),
        (EOFError(), "can't be read as an image (EOFError), expected a whole PNG or JPEG file: save it again"),
        (
            ValueError("bad\n  header"),
            "can't be read as an image (bad header), expected a whole PNG or JPEG file: save it again",
        ),
    ],
)
def test_whatever_goes_wrong_with_an_image_is_one_sentence(error, sentence, tmp_path, monkeypatch):
    path = save(tmp_path, 1 - seven())
    monkeypatch.setattr(Image, "open", Mock(side_effect=error))
    with pytest.raises(predict.InputError) as told:
        predict.read_digit(path)
    assert str(told.value) == f"{path} {sentence}"


def test_a_large_image_is_read_without_a_word_and_one_that_is_too_large_is_not(tmp_path, monkeypatch, reference):
    path = save(tmp_path, 1 - seven())  # 90,000 pixels
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60000)  # up to twice as many are read, with a warning of Pillow's
    with warnings.catch_warnings(record=True) as warned:
        assert (predict.read_digit(path) == reference).all()
    assert warned == []
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40000)
    with pytest.raises(predict.InputError) as told:
        predict.read_digit(path)
    assert str(told.value) == (
        f"{path} is too large (Image size (90000 pixels) exceeds limit of 80000 pixels), expected a photo of one "
        f"digit: make it smaller"
    )


def test_a_request_that_cannot_be_written_is_told(tmp_path):
    path = tmp_path / "missing" / "body.json"
    with pytest.raises(predict.InputError) as told:
        predict.write_request(str(path), [])
    assert str(told.value) == f"{path} can't be written (No such file or directory): pass another file with --request"


def test_of_what_tensorflow_says_of_a_bad_model_the_first_line_is_told():
    tf = MagicMock()
    tf.saved_model.load.side_effect = ValueError("no such op.\nA page more")
    with pytest.raises(predict.InputError) as told:
        predict.predict(tf, "job/1", [])
    assert str(told.value) == (
        "job/1 can't be loaded (no such op), expected a SavedModel with the tag 'serve': export it again"
    )


def test_without_what_it_needs_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "photo", None)  # as if it were not there
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SCRIPT))
    begin, _, rest = end.value.code.partition("(")
    assert begin == f"predict.py can't be used with {sys.executable} " and "photo" in rest.partition(")")[0]
    assert rest.partition("): ")[2] == (
        "pip install -r mlengine/requirements.txt, and keep the folder visu beside mlengine, as in a clone of the "
        "project"
    )


@pytest.mark.parametrize("arguments, status", [([], 2), (["--help"], 0)])
def test_without_an_image_it_says_how_it_is_used(arguments, status, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["predict.py", *arguments])
    with pytest.raises(SystemExit) as end:
        predict.main()
    assert end.value.code == status
    output, errors = capsys.readouterr()
    if status:
        assert output == "" and "the following arguments are required: IMAGE" in errors
    else:
        words = " ".join(output.split())
        assert errors == "" and "IMAGE" in words and "folder of the SavedModel or job (default: job)" in words


# ------------------------------------------------------------------------------------------------------------ as a user

MAKE_MODEL = """
import sys
import tensorflowvisu
import tensorflow.compat.v1 as tf

folder, name = sys.argv[1:]
with tf.Session(graph=tf.Graph()) as sess:
    image = tf.placeholder(tf.float32, [None, 28, 28])
    left = tf.reduce_sum(image[:, :, :14], axis=[1, 2])
    right = tf.reduce_sum(image[:, :, 14:], axis=[1, 2])
    bias = tf.Variable([0.0] * 8)  # the class is 0 or 1, the side with more ink; others are less probable
    sess.run(tf.global_variables_initializer())
    others = tf.reduce_min(image, axis=[1, 2])[:, tf.newaxis] - 100 + bias
    logits = tf.concat([left[:, tf.newaxis], right[:, tf.newaxis], others], axis=1)
    signature = tf.saved_model.predict_signature_def(
        {name: image}, {"classes": tf.argmax(logits, axis=1), "probabilities": tf.nn.softmax(logits)}
    )
    builder = tf.saved_model.Builder(folder)
    builder.add_meta_graph_and_variables(sess, ["serve"], {"serving_default": signature})
    builder.save()
"""


def make_model(forks, scripts, folder, input_name="image"):
    (scripts / "make_model.py").write_text(MAKE_MODEL)
    process = programs.run(["make_model.py", str(folder), input_name], scripts, forks.start)
    assert process.returncode == 0, process.stderr


@pytest.fixture(scope="session")
def job(tmp_path_factory, made_once, forks):
    """A job folder with a model of fixed weights: 0 if more ink is on the left, 1 if on the right."""
    made_once("job with a model")
    folder = tmp_path_factory.mktemp("job")
    make_model(forks, folder, folder / "export" / "10")
    (folder / "export" / "9").mkdir()
    (folder / "export" / "9" / "saved_model.pb").write_bytes(b"\x0a\xff")  # an older one, which is not taken
    (folder / "export" / "12").mkdir()  # without a model in it
    (folder / "export" / "temp-11").mkdir()
    return folder


@pytest.fixture
def run(forks, tmp_path):
    """A function that runs predict.py in tmp_path."""

    def run_program(*arguments, start=forks.start, **changes):
        return programs.run([str(SCRIPT), *map(str, arguments)], tmp_path, start, **changes)

    return run_program


@pytest.mark.tensorflow
def test_prints_the_digit_and_ten_probabilities_of_each_image_and_writes_the_request(tmp_path, job, run):
    save(tmp_path, 1 - seven(), "a.png")
    save(tmp_path, 1 - seven()[:, ::-1], "\u6570_8.png")  # a name that not everything can print
    as_a_user = {"start": programs.start, "PYTHONPATH": "", "PYTHONIOENCODING": "ascii"}
    process = run("a.png", "\u6570_8.png", "a.png", "--model", job, "--request", "body.json", **as_a_user)
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["a.png", r"\u6570_8.png"]
    assert lines[0].startswith("a.png    ")  # as wide as the other
    instances = json.loads((tmp_path / "body.json").read_text())["instances"]
    for line, instance in zip(lines, instances):
        image = np.array(instance["image"])
        right = 1 / (1 + np.exp(image[:, :14].sum() - image[:, 14:].sum()))
        others = "  ".join(f"{digit}: 0.0000" for digit in range(2, 10))
        assert line.split("  ", 1)[1].strip() == f"{int(right > 0.5)}  (0: {1 - right:.4f}  1: {right:.4f}  {others})"


def test_wildcards_that_a_shell_left_alone_are_taken_as_it_does_and_a_file_of_that_name_wins(tmp_path, capsys):
    for name in ("2.png", "1.png", "[12].png", "3.jpg"):
        save(tmp_path, 1 - seven(), name)
    assert named_by(["*.jpg", "?.png", "1.png"]) == ["3.jpg", "1.png", "2.png", "1.png"]
    assert named_by(["[12].png", "[23].png"]) == ["[12].png", "2.png"]
    digits, failures = predict.read_digits(
        named_by(["?.png", "2.png", "x*.png", "yy?.png", "z[1].png", "4.png", "4.png"])
    )
    assert (list(digits), failures) == (["1.png", "2.png"], 4)
    output, errors = capsys.readouterr()
    matches, is_there = "matches no file", "does not exist"
    assert output == "" and errors.splitlines() == [
        f"{name} {what}, expected an image file: check the path"
        for name, what in (("x*.png", matches), ("yy?.png", matches), ("z[1].png", matches), ("4.png", is_there))
    ]


@pytest.mark.tensorflow
def test_a_model_is_found_in_a_job_folder_among_versions_and_by_itself(tmp_path, job, run):
    save(tmp_path, 1 - seven())
    link(job, tmp_path / "job")  # which is taken of itself
    outputs = [run("d*.png", *where) for where in ([], *(["--model", job / path] for path in ("export", "export/10")))]
    assert [process.returncode for process in outputs] == [0, 0, 0]
    assert len({process.stdout for process in outputs}) == 1 and outputs[0].stdout.startswith("digit.png  ")


@pytest.mark.tensorflow
def test_bad_images_get_a_sentence_each_and_the_others_are_read(tmp_path, job, run):
    save(tmp_path, 1 - seven(), "good.png")
    save(tmp_path, np.ones([50, 50]), "blank.png")
    save(tmp_path, 0.8 + np.random.RandomState(0).normal(0, 0.03, [300, 300]), "noise.png")
    (tmp_path / "text.png").write_text("not an image")
    save(tmp_path, np.random.RandomState(0).rand(200, 200), "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:5000])
    bad = ["missing.png", "text.png", "cut.jpg", "blank.png", "noise.png"]
    process = run(*bad, "good.png", "--model", job)
    assert process.returncode == 2
    assert [line.split()[0] for line in process.stdout.splitlines()] == ["good.png"]
    sentences = process.stderr.splitlines()
    assert [sentence.split()[0] for sentence in sentences] == bad
    assert "can't be read as an image (cannot identify image file" in sentences[1]
    assert "can't be read as an image (" in sentences[2] and "expected a whole PNG or JPEG file" in sentences[2]
    no_ink = "shows no ink that stands out from the paper, expected one digit: pass another image"
    assert sentences[3:] == [f"blank.png {no_ink}", f"noise.png {no_ink}"]


NO_MODEL = (
    r"holds no model, expected saved_model\.pb, or <number>/saved_model\.pb, in it or in its folder export: train one, "
    r"or pass its folder with --model$"
)
MODEL_SENTENCES = {
    "missing": NO_MODEL,
    "empty": NO_MODEL,
    "damaged": r"can't be loaded \(.+\), expected a SavedModel with the tag 'serve': export it again$",
    "signature": r"has no 'image' of float32 \[None, 28, 28\] in its signature serving_default, expected the input ",
    "no such file system": r"can't be searched for a model \(.+\): pass another --model$",
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("what", MODEL_SENTENCES)
def test_a_bad_model_gets_one_sentence(tmp_path, what, forks, run):
    image, folder = save(tmp_path, 1 - seven()), tmp_path / what
    if what == "no such file system":
        folder = "nowhere://job"
    elif what == "signature":
        make_model(forks, tmp_path, folder, input_name="picture")
    elif what != "missing":
        folder.mkdir()
    if what == "damaged":
        (folder / "saved_model.pb").write_bytes(b"\x0a\xff")
    process = run(image, "--model", folder, "--request", "body.json")
    assert process.returncode == 2 and process.stdout == ""
    (sentence,) = process.stderr.splitlines()
    assert re.match(re.escape(str(folder)) + " " + MODEL_SENTENCES[what], sentence)
    assert json.loads((tmp_path / "body.json").read_text())["instances"]  # a model elsewhere may take it


TENSORS = """
import sys
import types
import tensorflow.compat.v1 as tf

sys.modules["photo"] = types.SimpleNamespace(InputError=ValueError, read_digit=None)  # takes a while, and is not needed
import predict

kinds = {"image": ("float32", [None, 28, 28]), "classes": ("int64", [None]), "probabilities": ("float32", [8, 10])}


def tensors(signature, **changes):
    kinds_now = {name: kind for name, kind in dict(kinds, **changes).items() if kind}
    with tf.Graph().as_default():
        placeholders = {name: tf.placeholder(*kind, name=f"the_{name}") for name, kind in kinds_now.items()}
        infos = {name: tf.saved_model.build_tensor_info(tensor) for name, tensor in placeholders.items()}
    try:
        with_them = types.SimpleNamespace(inputs={"image": infos.pop("image")}, outputs=infos)
        return predict.tensors(tf, "job/1", {signature: with_them})
    except ValueError as error:
        return error


print(*tensors("serving_default"))
print(tensors("another"))
for change in (
    {"image": ("float64", [None, 28, 28])},
    {"image": ("float32", [None, 784])},
    {"classes": ("int32", [None])},
    {"classes": ("int64", [None, 1])},
    {"probabilities": ("float16", [None, 10])},
    {"probabilities": ("float32", [None, 12])},
    {"probabilities": None},
):
    print(tensors("serving_default", **change))
"""


@pytest.mark.tensorflow
def test_of_a_model_those_tensors_are_taken_that_are_as_expected(tmp_path, forks):
    script = tmp_path / "tensors.py"
    script.write_text(TENSORS.replace("import sys\n", f"import sys\nsys.path.append({str(SCRIPT.parent)!r})\n", 1))
    process = programs.run([str(script)], tmp_path, forks.start)
    assert process.stderr == ""
    names, *sentences = process.stdout.splitlines()
    assert names == "the_image:0 the_classes:0 the_probabilities:0"
    image, classes = "'image' of float32 [None, 28, 28]", "'classes' of int64 [None]"
    missing = [image] * 3 + [classes] * 2 + ["'probabilities' of float32 [None, 10]"] * 3
    assert sentences == [
        f"job/1 has no {tensor} in its signature serving_default, expected the input image and the outputs classes and "
        f"probabilities: pass a model of this project with --model"
        for tensor in missing
    ]


def test_without_any_image_that_can_be_read_tensorflow_is_not_asked(tmp_path, run):
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('asked')")
    process = run(tmp_path / "missing.png", "--model", tmp_path, start=programs.start, PYTHONPATH=str(tmp_path))
    assert process.returncode == 2 and len(process.stderr.splitlines()) == 1
