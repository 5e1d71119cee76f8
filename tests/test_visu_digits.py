"""Pictures of digits: the misrecognised ones first and on red, with their labels."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from helpers import STAGES, shortened_text_only, stage_source
from visu.digits import LABEL_SHAPES, format_mnist_images, tf_format_mnist_images
from visu.reading import digit_in_tile

RED, BLUE, DARK_RED = (255, 160, 160), (0, 40, 150), (150, 0, 0)  # of misread digits and of their two labels


def formatted(images, computed, correct, **options):
    """The picture that both make: of the images and the labels, or of Y and Y_."""
    Y, Y_ = np.eye(10)[computed], np.eye(10)[correct]
    picture = format_mnist_images(images, Y, Y_, **options)
    with tf.Graph().as_default(), tf.Session() as session:
        tensors = [tf.placeholder(tf.float32, [None, *array.shape[1:]]) for array in (images, Y, Y_)]
        of_tensorflow = session.run(tf_format_mnist_images(*tensors, **options), dict(zip(tensors, (images, Y, Y_))))
    assert picture.dtype == of_tensorflow.dtype and picture.shape == of_tensorflow.shape
    if images.min() >= 0 and images.max() <= 1:
        assert (picture == of_tensorflow).all()
    return picture


def tiles_of(picture, lines, columns):
    """The picture cut up again: uint8 [lines * columns, 28, 28, 3]."""
    return picture.reshape(lines, 28, columns, 28, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 28, 28, 3)


@pytest.mark.tensorflow
def test_misrecognised_digits_come_first_on_red_and_recognised_ones_on_white():
    correct = np.arange(120) % 10
    computed = correct.copy()
    computed[[3, 50, 110]] = (correct[[3, 50, 110]] + 1) % 10
    images = np.zeros([120, 28, 28, 1])
    images[:, 10, 10, 0] = np.arange(120) / 120  # a mark to know each image by
    picture = formatted(images, computed, correct)
    assert picture.shape == (280, 280, 3) and picture.dtype == np.uint8
    tiles = tiles_of(picture, 10, 10)
    ink = 1 - tiles[:, 10, 10, 0] / 255  # the red channel is full on white and on red
    expected_order = [3, 50, 110] + [i for i in range(120) if i not in (3, 50, 110)][:97]
    np.testing.assert_allclose(ink * 120, expected_order, atol=0.5)
    assert (tiles[:3, 5, 5] == np.array(RED)).all()
    assert (tiles[3:, 5, 5] == 255).all()


@pytest.mark.tensorflow
def test_a_misrecognised_digit_carries_its_correct_label_on_the_left_and_the_computed_one_on_the_right():
    shapes = [line.split() for line in LABEL_SHAPES.split("\n")[1:8]]
    for correct, computed in ((2, 7), (9, 0)):
        tile = formatted(np.zeros([1, 28, 28, 1]), [computed], [correct], n=1, lines=1)
        for label, left, colour in ((correct, 1, BLUE), (computed, 22, DARK_RED)):
            seen = (tile[20:27, left : left + 5] == np.array(colour)).all(axis=-1)
            assert seen.tolist() == [[c == "#" for c in line[label]] for line in shapes]
        tile[20:27, [*range(1, 6), *range(22, 27)]] = RED
        assert (tile[1:-1, 1:-1] == RED).all()
        tile[1:-1, 1:-1] = 255
        assert (tile == 255).all()  # a white edge


@pytest.mark.tensorflow
def test_a_recognised_digit_is_its_image_in_black_on_white():
    images = np.random.RandomState(0).rand(4, 28, 28, 1)
    picture = formatted(images, [1, 2, 3, 4], [1, 2, 3, 4], n=4, lines=2)
    expected = 255 * (1 - images)
    for tile, image in zip(tiles_of(picture, 2, 2), expected):
        np.testing.assert_allclose(tile, np.repeat(image, 3, axis=-1), atol=1)


@pytest.mark.tensorflow
@pytest.mark.parametrize("number", [-1e9, -1, 2, 1e9, np.inf, -np.inf, np.nan])
def test_images_of_any_numbers_make_a_picture(number):
    picture = formatted(np.full([2, 28, 28, 1], float(number)), [1, 2], [1, 3], n=2, lines=1)
    assert picture.shape == (28, 56, 3)
    assert (picture[20:27, :5] == (0, 40, 150)).all(axis=-1).any()  # the label of the misrecognised one


@pytest.mark.tensorflow
def test_a_thousand_digits_on_25_lines():
    random = np.random.RandomState(0)
    images, (correct, other) = random.rand(2000, 28, 28, 1), random.randint(0, 10, [2, 2000])
    computed = np.where(random.rand(2000) < 0.3, other, correct)  # so both kinds of digits are among the thousand
    assert formatted(images, computed, correct, n=1000, lines=25).shape == (700, 1120, 3)


@pytest.mark.tensorflow
def test_digits_stand_line_by_line_from_left_to_right():
    images = np.zeros([6, 28, 28, 1])
    images[:, 10, 20, 0] = np.arange(6) / 6  # a mark to know each image by, in no corner
    labels = np.arange(6)
    picture = formatted(images, labels, labels, n=6, lines=2)
    assert picture.shape == (56, 84, 3)
    marks = [[picture[28 * line + 10, 28 * column + 20, 0] for column in range(3)] for line in range(2)]
    np.testing.assert_allclose(marks, 255 * (1 - np.arange(6).reshape(2, 3) / 6), atol=1)


@pytest.mark.tensorflow
def test_fewer_images_than_asked_for_leave_the_rest_white():
    picture = formatted(np.ones([3, 28, 28, 1]), [0, 0, 0], [0, 0, 0])
    tiles = tiles_of(picture, 10, 10)
    assert (tiles[:3] == 0).all() and (tiles[3:] == 255).all()


@pytest.mark.tensorflow
@pytest.mark.parametrize("n, lines", [(100, 7), (0, 1), (-10, 1), (100, 0), (100, -10), (5, 10)])
@pytest.mark.parametrize("function", [format_mnist_images, tf_format_mnist_images])
def test_a_number_of_digits_that_does_not_fill_the_lines_is_refused(function, n, lines):
    expected = f"^{function.__name__}: n={n} images do not fill lines={lines}, expected a multiple$"
    with tf.Graph().as_default(), pytest.raises(ValueError, match=expected):
        function(np.zeros([1, 28, 28, 1]), np.eye(10)[[0]], np.eye(10)[[0]], n, lines)


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", [tf.float16, tf.float64])
def test_tensors_of_an_unknown_shape_and_of_another_precision_make_the_same_picture(kind):
    images, labels = random_digits(20), np.eye(10)[np.arange(20) % 10]
    answers = np.roll(labels, 1, axis=0) * (np.arange(20) % 3 == 0)[:, None] + 0.5 * labels
    with tf.Graph().as_default(), tf.Session() as session:
        tensors = [tf.placeholder(each) for each in (kind, tf.float32, tf.int64)]
        picture = tf_format_mnist_images(*tensors, n=20, lines=2)
        seen = session.run(picture, dict(zip(tensors, (images, answers, labels))))
    assert (abs(seen.astype(int) - format_mnist_images(images, answers, labels, n=20, lines=2)) <= 1).all()


@pytest.mark.tensorflow
def test_flat_images_are_refused():
    with tf.Graph().as_default(), pytest.raises(ValueError, match=r"expected \[images, 28, 28, 1\]"):
        flat, labels = tf.zeros([100, 784]), tf.zeros([100, 10])
        tf_format_mnist_images(flat, labels, labels)


@pytest.mark.parametrize(
    "X, Y, sentence",
    [
        ([100, 784], [100, 10], "X has the shape [100, 784], expected [images, 28, 28, 1]"),
        ([100, 28, 28, 1], [99, 10], "Y has the shape [99, 10], expected [100, 10]"),
        ([100, 28, 28, 1], [100], "Y has the shape [100], expected [100, 10]"),
        ([100, 28, 28], [100, 10], "X has the shape [100, 28, 28], expected [images, 28, 28, 1]"),
        ([99, 28, 28, 1], [99, 10], "Y_ has the shape [100, 10], expected [99, 10]"),
    ],
)
@pytest.mark.parametrize("function", [format_mnist_images, tf_format_mnist_images])
def test_shapes_that_do_not_fit_are_named(function, X, Y, sentence):
    with tf.Graph().as_default(), pytest.raises(ValueError) as error:
        function(np.zeros(X), np.zeros(Y), np.zeros([100, 10]))
    assert str(error.value) == f"{function.__name__}: {sentence}"


@pytest.mark.parametrize("function", [format_mnist_images, tf_format_mnist_images])
def test_pixels_from_0_to_255_are_refused(function):
    with tf.Graph().as_default(), pytest.raises(ValueError, match="X is uint8, expected float32, from 0 to 1$"):
        function(np.zeros([1, 28, 28, 1], np.uint8), np.zeros([1, 10]), np.zeros([1, 10]))


def test_tensors_of_pytorch_on_a_graphics_card_make_the_same_picture():
    class OnACard:
        def __init__(self, array):
            self.array = array

        def detach(self):
            return self

        def cpu(self):
            return self.array

    arrays = random_digits(20), np.eye(10)[np.arange(20) % 10], np.eye(10)[np.arange(20) % 9]
    picture = format_mnist_images(*(OnACard(array) for array in arrays), n=20, lines=2)
    assert (picture == format_mnist_images(*arrays, n=20, lines=2)).all()


@pytest.mark.tensorflow
def test_a_picture_is_one_whenever_it_is_fetched_after_text_only_training_too(forks, tmp_path):
    source = (
        shortened_text_only(stage_source(STAGES[0]), 5)
        + """
im = sess.run(It, {X: mnist.test.images, Y_: mnist.test.labels})
print("red:", (im == (255, 160, 160)).all(axis=-1).any(), "black:", (im == 0).any(), "white:", (im == 255).any())
"""
    )
    assert forks.run_script(source, tmp_path).stdout.splitlines()[-1] == "red: True black: True white: True"


def random_digits(n, darkest=255):
    random = np.random.RandomState(0)
    digits = np.zeros([n, 28, 28, 1], np.float32)
    digits[:, 2:-2, 1:-1] = random.randint(0, darkest + 1, [n, 24, 26, 1]) * (random.rand(n, 24, 26, 1) < 0.3)
    return digits * np.float32(1 / 255)


@pytest.mark.tensorflow
@pytest.mark.parametrize("darkest", [255, 150])
def test_the_digit_of_a_tile_is_found_byte_by_byte_under_its_labels(darkest):
    images, correct = random_digits(40, darkest), np.arange(40) % 10
    computed = np.where(np.arange(40) % 3, correct, (correct + 1) % 10)
    tiles = tiles_of(formatted(images, computed, correct, n=40, lines=4), 4, 10)
    order = [*np.flatnonzero(computed != correct), *np.flatnonzero(computed == correct)]
    for tile, number in zip(tiles, order):
        assert digit_in_tile(tile, images).tobytes() == images[number].tobytes()
    assert digit_in_tile(tiles[0], images[1:]) is None  # it is not there any more
    images[0, 10, 10] += 4 / 255
    assert digit_in_tile(tiles[0], images) is None  # nor one that differs in a single shade
    assert digit_in_tile(np.full([28, 28, 3], 7, np.uint8), images) is None
