"""mnistdata: the arrays, the batches, the download, and every way in which a data folder can be broken."""

import gzip
import http.server
import io
import os
import re
import shutil
import subprocess
import sys
import threading
import tracemalloc
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import pytest

import mnistdata
from helpers import ROOT, environment, idx

ARCHIVES = sorted(path.name for path in (ROOT / "data").glob("*.gz"))
CURE = "replace it or, if it is of MNIST, delete it and it will be downloaded"


@pytest.fixture(scope="module")
def mnist():
    return mnistdata.read_data_sets("data", one_hot=True, reshape=False, seed=0)


@pytest.fixture
def folder(tmp_path):
    """A copy of the data folder, to break."""
    for name in ARCHIVES:
        shutil.copy(str(ROOT / "data" / name), str(tmp_path))
    return tmp_path


@pytest.fixture
def small_set(tmp_path):
    write_small_set(tmp_path)
    return str(tmp_path)


def write_small_set(folder, train=60, test=20, classes=10, side=28):
    random = np.random.RandomState(1)
    for name, n in (("train", train), ("t10k", test)):
        images = random.randint(0, 256, [n, side, side])
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(np.arange(n) % classes))


def error_of(folder, **options):
    with pytest.raises(mnistdata.DataError) as caught:
        mnistdata.read_data_sets(str(folder), **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


# -- arrays


def test_images_and_labels_have_the_promised_shapes_types_and_ranges(mnist):
    for part, n in ((mnist.train, 60000), (mnist.test, 10000)):
        assert part.num_examples == n
        assert part.images.shape == (n, 28, 28, 1)
        assert part.images.dtype == np.float32
        assert (part.images.min(), part.images.max()) == (0, 1)
        assert part.labels.shape == (n, 10)
        assert part.labels.dtype == np.float32
        assert (part.labels.sum(axis=1) == 1).all()
    assert mnist.validation.images.shape == (0, 28, 28, 1) and mnist.validation.labels.shape == (0, 10)
    assert (mnist.validation.num_examples, mnist.validation.epochs_completed) == (0, 0)


def test_pixels_are_those_of_the_file():
    raw = gzip.decompress((ROOT / "data" / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    expected = np.frombuffer(raw, np.uint8)
    flat = mnistdata.read_data_sets("data").test.images
    assert flat.shape == (10000, 784)
    np.testing.assert_allclose(flat.ravel() * 255, expected, atol=1e-4)
    as_bytes = mnistdata.read_data_sets("data", dtype=np.uint8)
    assert as_bytes.train.images.dtype == as_bytes.test.images.dtype == np.uint8
    assert (as_bytes.test.images.ravel() == expected).all()


def test_labels_are_the_published_ones(mnist):
    parts = mnistdata.read_data_sets("data", one_hot=False)
    for name, one_hot, part, first in (
        ("train", mnist.train, parts.train, [5, 0, 4, 1, 9, 2, 1, 3]),
        ("t10k", mnist.test, parts.test, [7, 2, 1, 0, 4, 1, 4, 9]),
    ):
        in_file = gzip.decompress((ROOT / "data" / f"{name}-labels-idx1-ubyte.gz").read_bytes())[8:]
        assert part.labels.tolist() == one_hot.labels.argmax(axis=1).tolist() == list(in_file)
        assert part.labels[:8].tolist() == first
        assert np.issubdtype(part.labels.dtype, np.integer)


def test_validation_takes_the_first_training_images(mnist):
    parts = mnistdata.read_data_sets("data", one_hot=True, reshape=False, validation_size=10000)
    assert (parts.train.num_examples, parts.validation.num_examples) == (50000, 10000)
    for part, places in ((parts.validation, slice(0, 10000)), (parts.train, slice(10000, None))):
        assert (part.images[:100] == mnist.train.images[places][:100]).all()
        assert (part.images[-100:] == mnist.train.images[places][-100:]).all()
        assert (part.labels == mnist.train.labels[places]).all()
    assert (parts.test.images[:100] == mnist.test.images[:100]).all()
    assert (parts.test.labels == mnist.test.labels).all()


@pytest.mark.tensorflow
def test_a_call_written_for_tensorflows_old_reader_works():
    import tensorflow.compat.v1 as tf

    parts = mnistdata.read_data_sets(
        train_dir="data",
        fake_data=False,
        one_hot=True,
        dtype=tf.uint8,
        reshape=False,
        validation_size=5000,
        seed=3,
        source_url="http://yann.lecun.com/exdb/mnist/",
    )
    assert parts.train.images.dtype == np.uint8
    assert parts.train.images.shape == (55000, 28, 28, 1)
    assert parts.train.next_batch(50, fake_data=False)[1].shape == (50, 10)


@pytest.mark.parametrize(
    "arguments, shape", [([False], (60, 784)), ([True], (60, 784)), ([True, False], (60, 28, 28, 1))]
)
def test_arguments_without_names_are_taken_where_they_are_clear(small_set, arguments, shape):
    train = mnistdata.read_data_sets(small_set, *arguments).train
    assert train.images.shape == shape
    assert train.labels.shape == ((60, 10) if arguments[0] else (60,))
    assert mnistdata.read_data_sets(small_set, False, one_hot=True).train.labels.shape == (60, 10)


@pytest.mark.parametrize("arguments", [[False, True], [False, False], [False, True, np.float32], [True, False, 5000]])
def test_arguments_in_the_order_of_tensorflows_reader_are_not_mistaken(small_set, arguments):
    with pytest.raises(mnistdata.DataError) as failure:
        mnistdata.read_data_sets(small_set, *arguments)
    assert str(failure.value) == (
        f"read_data_sets: {tuple(arguments)} have no names, and TensorFlow's reader took them for fake_data, one_hot, "
        f"dtype, reshape: write their names, as in one_hot=True"
    )
    with pytest.raises(mnistdata.DataError, match=r"False has no name, .* write next_batch\(5\), or shuffle=False"):
        mnistdata.read_data_sets(small_set).train.next_batch(5, False)


def test_fake_digits_are_refused(small_set):
    assert "fake_data is True, expected False" in error_of(small_set, fake_data=True)
    with pytest.raises(mnistdata.DataError, match="fake_data is True, expected False"):
        mnistdata.read_data_sets(small_set).train.next_batch(5, fake_data=True)


def test_a_folder_named_twice_is_refused(small_set):
    assert "train_dir is 'data', expected no second name" in error_of(small_set, train_dir="data")


def test_a_batch_of_no_images_is_refused(small_set):
    with pytest.raises(ValueError, match="the number of images here is 0, expected 1 or more"):
        mnistdata.read_data_sets(small_set).validation.next_batch(100)


@pytest.mark.parametrize(
    "option, values, expected",
    [
        ("dtype", [np.int64, "nonsense"], "float32 or uint8"),
        (
            "validation_size",
            [60, -1, 0.1],
            "a whole number from 0 to 59, less than the training images there are",
        ),
        ("seed", [-1, 2**32, "one"], "None or a whole number from 0 to 2**32 - 1"),
        ("num_classes", [0, "10", 257], "None or 1 to 256"),
        ("source_url", [5], "None or the address of a folder"),
    ],
)
def test_an_impossible_option_is_told_with_what_was_expected(small_set, option, values, expected):
    for value in values:
        assert error_of(small_set, **{option: value}) == f"read_data_sets: {option} is {value!r}, expected {expected}"


def test_numbers_and_types_may_be_numpys_and_types_may_be_named(small_set):
    parts = mnistdata.read_data_sets(
        small_set, validation_size=np.int64(10), seed=np.int32(1), num_classes=np.uint8(10)
    )
    assert len(parts.validation.next_batch(np.int64(5))[0]) == 5
    for name in ("float32", "uint8"):
        named, typed = (mnistdata.read_data_sets(small_set, dtype=dtype).train for dtype in (name, np.dtype(name).type))
        assert named.images.dtype == typed.images.dtype == name


def test_options_may_be_as_large_as_is_told(small_set):
    options = {"seed": 2**32 - 1, "num_classes": 256, "one_hot": True, "validation_size": 59}
    parts = mnistdata.read_data_sets(small_set, **options)
    assert parts.train.labels.shape == (1, 256) and parts.validation.labels.shape == (59, 256)


def test_peak_memory_is_at_most_the_arrays_and_35_percent():
    tracemalloc.start()
    parts = mnistdata.read_data_sets("data", one_hot=True, reshape=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    arrays = sum(part.images.nbytes + part.labels.nbytes for part in (parts.train, parts.test))
    assert peak <= 1.35 * arrays


# -- batches


def test_every_image_comes_exactly_once_an_epoch_in_a_new_order(tmp_path):
    write_small_set(tmp_path, train=60)
    train = mnistdata.read_data_sets(str(tmp_path), seed=0).train
    train.images = np.arange(60)
    epochs = [np.concatenate([train.next_batch(20)[0] for _ in range(3)]) for _ in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(60))
    assert epochs[0].tolist() != epochs[1].tolist() != epochs[2].tolist() != list(range(60))
    assert train.epochs_completed == 3


def test_a_batch_across_the_end_of_an_epoch_is_filled_from_the_next_one(tmp_path):
    write_small_set(tmp_path, train=60)
    train = mnistdata.read_data_sets(str(tmp_path), seed=0).train
    train.images = np.arange(60)
    drawn = np.concatenate([train.next_batch(25)[0] for _ in range(12)])  # 300 = 5 epochs
    for epoch in drawn.reshape(5, 60):
        assert sorted(epoch) == list(range(60))
    assert train.epochs_completed == 5
    assert len(train.next_batch(150)[0]) == 150  # more than the set has
    assert train.epochs_completed == 7


def test_images_and_labels_of_a_batch_belong_together(mnist):
    plain = mnistdata.read_data_sets("data", one_hot=True, reshape=False)
    images, labels = plain.train.next_batch(100)
    assert images.shape == (100, 28, 28, 1) and labels.shape == (100, 10)
    for image, label in zip(images[:5], labels[:5]):
        (places,) = np.nonzero((plain.train.images == image).all(axis=(1, 2, 3)))
        assert (plain.train.labels[places[0]] == label).all()


def test_the_same_seed_gives_the_same_batches_on_every_machine():
    train, _, test = mnistdata.read_data_sets("data", seed=0)
    assert train.next_batch(20)[1].tolist() == [3, 6, 6, 6, 0, 3, 6, 2, 5, 6, 5, 8, 0, 0, 0, 1, 2, 2, 9, 3]
    assert test.next_batch(20)[1].tolist() == [8, 7, 1, 7, 1, 2, 1, 9, 5, 4, 5, 6, 3, 2, 0, 7, 6, 4, 6, 4]


def test_different_seeds_and_no_seed_give_different_batches(small_set):
    firsts = [
        mnistdata.read_data_sets(small_set, seed=seed).train.next_batch(100)[1].tolist() for seed in (0, 1, None, None)
    ]
    assert len({tuple(labels) for labels in firsts}) == 4
    parts = [mnistdata.read_data_sets(small_set, seed=seed, validation_size=30).validation for seed in (0, 0, 1)]
    first, again, other = (part.next_batch(30)[1].tolist() for part in parts)
    assert first == again != other


def test_an_epoch_that_has_begun_in_a_random_order_ends_in_it(small_set):
    train = mnistdata.read_data_sets(small_set, seed=0).train
    train.images = np.arange(60)
    first, others = train.next_batch(20)[0], train.next_batch(100, shuffle=False)[0]
    assert sorted([*first, *others[:40]]) == list(range(60)) and list(others[:40]) != sorted(others[:40])
    assert list(others[40:]) == list(range(60))


def test_without_shuffling_the_images_come_in_the_order_of_the_file(mnist):
    test = mnistdata.read_data_sets("data", reshape=False).test
    assert (test.next_batch(100, shuffle=False)[0] == mnist.test.images[:100]).all()
    assert (test.next_batch(100, shuffle=False)[0] == mnist.test.images[100:200]).all()


@pytest.mark.parametrize("size", [0, -5, 5.0, "5"])
def test_an_impossible_batch_size_is_refused(mnist, size):
    with pytest.raises(ValueError, match=f"batch_size is {size!r}, expected a whole number, 1 or more"):
        mnist.test.next_batch(size)


# -- other files and folders


def test_unzipped_files_are_read_too(folder, mnist):
    for name in ARCHIVES:
        (folder / name[:-3]).write_bytes(gzip.decompress((folder / name).read_bytes()))
        (folder / name).unlink()
    parts = mnistdata.read_data_sets(str(folder), reshape=False)
    assert (parts.test.images == mnist.test.images).all()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_may_have_a_dot_in_their_names(tmp_path, suffix):
    write_small_set(tmp_path)
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / (path.name.replace("-idx", ".idx") + suffix))
    assert mnistdata.read_data_sets(str(tmp_path)).train.num_examples == 60


def test_a_folder_that_has_the_name_of_a_file_is_passed_over(folder, mnist):
    """As some programs unpack an archive: into a folder of its name."""
    name = ARCHIVES[0]
    (folder / name[:-3].replace("-idx", ".idx")).write_bytes(gzip.decompress((folder / name).read_bytes()))
    (folder / name).unlink()
    (folder / name).mkdir()
    (folder / name[:-3]).mkdir()
    parts = mnistdata.read_data_sets(str(folder), reshape=False)
    assert (parts.train.images == mnist.train.images).all()


def test_another_set_in_the_same_format_works(tmp_path):
    write_small_set(tmp_path, train=60, test=20, classes=12, side=32)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.arange(20) % 14))  # two that are not in the other part
    parts = mnistdata.read_data_sets(str(tmp_path), one_hot=True, reshape=False)
    assert parts.train.images.shape == (60, 32, 32, 1)
    assert parts.train.labels.shape == (60, 14)
    assert parts.test.labels.shape == (20, 14)


def test_a_set_of_two_classes_gets_as_many_columns_as_are_asked_for(tmp_path):
    write_small_set(tmp_path, classes=2)
    for num_classes, columns in ((None, 10), (2, 2), (5, 5)):
        parts = mnistdata.read_data_sets(str(tmp_path), one_hot=True, num_classes=num_classes)
        assert [part.labels.shape[1] for part in parts] == [columns] * 3
        assert parts.train.labels[:3, :2].tolist() == [[1, 0], [0, 1], [1, 0]]


@pytest.mark.parametrize("one_hot", [True, False])
def test_a_label_beyond_the_classes_is_named_with_its_file(tmp_path, one_hot):
    write_small_set(tmp_path, classes=12, test=13)
    message = error_of(tmp_path, one_hot=one_hot, num_classes=11)
    assert message == (
        f"{tmp_path / 'train-labels-idx1-ubyte'} holds the label 11, expected 0 to 10: pass num_classes=12 if it is "
        f"one of the classes, or replace the file"
    )


def test_a_label_255_is_taken_for_a_class_only_if_it_is_said(tmp_path):
    write_small_set(tmp_path)
    path = tmp_path / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx(np.full(20, 255)))
    message = error_of(tmp_path, one_hot=True)
    assert f"{path} holds the label 255, expected 0 to 254: pass num_classes=256" in message
    parts = mnistdata.read_data_sets(str(tmp_path), one_hot=True, num_classes=256)
    assert parts.test.labels[:, 255].tolist() == [1] * 20
    assert mnistdata.read_data_sets(str(tmp_path)).test.labels.tolist() == [255] * 20


def test_files_are_unzipped_by_what_they_are_and_not_by_their_names(tmp_path):
    write_small_set(tmp_path)
    images, labels = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    expected = mnistdata.read_data_sets(str(tmp_path)).train
    images.rename(tmp_path / "train-images-idx3-ubyte.gz")  # as a browser does that unzips what it downloads
    labels.write_bytes(gzip.compress(labels.read_bytes()))
    found = mnistdata.read_data_sets(str(tmp_path)).train
    assert (found.images == expected.images).all() and (found.labels == expected.labels).all()


def test_own_test_digits_can_stand_beside_the_training_digits_of_mnist(folder):
    for name in ARCHIVES:
        if name.startswith("t10k"):
            (folder / name).unlink()
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros([7, 28, 28])))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(7)))
    assert mnistdata.read_data_sets(str(folder)).test.num_examples == 7


def test_an_archive_that_was_zipped_again_is_as_good(folder):
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))
    assert mnistdata.read_data_sets(str(folder)).test.num_examples == 10000


def test_a_relative_folder_is_found_beside_the_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert mnistdata.read_data_sets("data").train.num_examples == 60000
    (tmp_path / "data").mkdir()  # a folder of that name which has nothing to do with it
    (tmp_path / "data" / "something.txt").write_text("else")
    assert mnistdata.read_data_sets("data").train.num_examples == 60000
    write_small_set(tmp_path / "data", train=60)
    assert mnistdata.read_data_sets("data").train.num_examples == 60


def test_a_folder_may_be_a_path_and_begin_with_the_tilde(tmp_path, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "digits").mkdir()
    write_small_set(tmp_path / "digits")
    for folder in ("~/digits", tmp_path / "digits"):
        assert mnistdata.read_data_sets(folder).train.num_examples == 60


# -- broken folders and files


def test_missing_folder():
    assert error_of("no such folder") == (
        f"Data folder 'no such folder' not found, neither in the current folder nor as {ROOT / 'no such folder'}: pass "
        f"the folder of the MNIST files ('data' in a clone of this project), or make it and they will be downloaded "
        f"into it"
    )


def test_a_file_in_place_of_the_folder(folder):
    message = error_of(folder / ARCHIVES[0])
    assert str(folder / ARCHIVES[0]) in message and "is a file, expected the folder" in message


def test_no_path_at_all():
    with pytest.raises(mnistdata.DataError, match="data_dir is None, expected the path of a folder"):
        mnistdata.read_data_sets(None)


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(mnistdata.Path, "read_bytes", denied)
    message = error_of(folder)
    path = folder / "train-images-idx3-ubyte.gz"
    assert message == f"{path} can't be read (Permission denied): make it a file that you may read"


def test_a_folder_that_may_not_be_searched(folder, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(mnistdata.os, "scandir", denied)
    sentence = f"{folder} can't be searched (Permission denied): make it a folder that you may read"
    assert error_of(folder) == sentence


def test_truncated_archive(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:5000000])
    reason = "Compressed file ended before the end-of-stream marker was reached"
    sentence = f"{path} is a damaged gzip archive of 5,000,000 bytes ({reason}), expected a whole one; {CURE}"
    assert error_of(folder) == sentence


def test_damaged_archive(folder):
    path = folder / "t10k-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[800000:800100] = bytes(100)
    path.write_bytes(content)
    message = error_of(folder)
    assert str(path) in message and "damaged" in message


def test_truncated_unzipped_file(folder):
    archive = folder / "t10k-labels-idx1-ubyte.gz"
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(gzip.decompress(archive.read_bytes())[:-10])
    archive.unlink()
    message = error_of(folder)
    assert message == (
        f"{path} holds 9,998 bytes, expected 10,008 for the 10000 labels that its header announces; {CURE}"
    )


def test_one_flipped_bit_in_an_unzipped_mnist_file(folder):
    archive = folder / "t10k-images-idx3-ubyte.gz"
    path = folder / "t10k-images-idx3-ubyte"
    content = bytearray(gzip.decompress(archive.read_bytes()))
    content[5000] ^= 1
    path.write_bytes(content)
    archive.unlink()
    message = error_of(folder)
    assert str(path) in message and "SHA-256" in message and "delete it and it will be downloaded" in message


@pytest.mark.parametrize("name", ["train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte"])
def test_html_error_page_in_place_of_a_file(folder, name):
    (folder / (name if name.endswith(".gz") else name + ".gz")).unlink()
    (folder / name).write_bytes(b"<!DOCTYPE html><html><body>403 Forbidden</body></html>")
    message = error_of(folder)
    assert str(folder / name) in message and "a web page" in message and "expected" in message


def test_images_and_labels_swapped(folder):
    images, labels = folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz"
    images.rename(folder / "x")
    labels.rename(images)
    (folder / "x").rename(labels)
    message = error_of(folder)
    assert message == f"{images} is a file of labels, expected a file of images, IDX of 16 bytes or more; {CURE}"


def test_different_counts(folder):
    shutil.copy(str(folder / "t10k-images-idx3-ubyte.gz"), str(folder / "train-images-idx3-ubyte.gz"))
    images, labels = folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz"
    assert error_of(folder) == (
        f"{images} holds 10000 images and {labels} 60000 labels, expected as many of one as of the other; replace the "
        f"file that is not of this data set"
    )


def stranger_beside(path, mate):
    return (
        f"{path} is not the published MNIST file (its SHA-256 differs), but {mate} is: it is damaged or of another "
        f"data set; delete it and it will be downloaded, or put both files of the other set there"
    )


def test_a_file_of_mnist_beside_one_of_another_set(folder):
    path = folder / "train-labels-idx1-ubyte"
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    path.write_bytes(idx(np.zeros(60000)))
    assert error_of(folder) == stranger_beside(path, folder / "train-images-idx3-ubyte.gz")


def test_the_stranger_may_be_the_images_too(folder):
    path, mate = folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte.gz"
    (folder / "train-images-idx3-ubyte.gz").unlink()
    path.write_bytes(idx(np.zeros([60000, 28, 28])))
    assert error_of(folder) == stranger_beside(path, mate)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    "content, found",
    [
        (b"", "an empty file"),
        (b"\0\0\x08\x03\0", "a file of images"),
        (b"PK\x03\x04" + bytes(100), "a zip archive"),
        (b"\r\n <html>", "a web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), r"a file of another type that begins with b'\x89PNG\r\n\x1a\n'"),
    ],
)
def test_a_file_of_another_type(folder, content, found, suffix):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    path = folder / ("train-images-idx3-ubyte" + suffix)
    path.write_bytes(content)
    assert error_of(folder) == f"{path} is {found}, expected a file of images, IDX of 16 bytes or more; {CURE}"


def test_a_file_without_images(folder):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(idx(np.zeros([0, 28, 28])))
    assert error_of(folder) == f"{path} holds no images, its header announces [0, 28, 28]; {CURE}"


def test_a_header_with_absurd_sizes(folder):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12 + bytes(784))
    most = 2**32 - 1
    assert error_of(folder) == (
        f"{path} holds 800 bytes, expected {16 + most**3:,} for the {most}x{most}x{most} images that its header "
        f"announces; {CURE}"
    )


def test_training_and_test_images_of_different_sizes(tmp_path):
    write_small_set(tmp_path, side=28)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros([20, 20, 20])))
    assert error_of(tmp_path) == (
        f"{tmp_path}: the training images have (28, 28) pixels and the test images (20, 20), expected the same size; "
        f"put the files of one data set into this folder"
    )


def test_uncaught_an_error_ends_a_script_with_its_sentence_and_status_1(tmp_path):
    code = "import mnistdata; mnistdata.read_data_sets('nowhere')"
    process = subprocess.run(
        [sys.executable, "-c", code], env=environment(), cwd=str(tmp_path), stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.returncode == 1
    assert process.stderr.startswith("Data folder 'nowhere' not found") and process.stderr.count("\n") == 1


# -- the download


@contextmanager
def mirror(answer):
    """A web server on loopback; answer(handler) answers each request. Yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/mnist/"
        finally:
            server.shutdown()
            thread.join()


def send(handler, content, length=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    handler.wfile.write(content)


def send_archive(handler):
    send(handler, (ROOT / "data" / handler.path.split("/")[-1]).read_bytes())


def send_half(handler):
    content = (ROOT / "data" / handler.path.split("/")[-1]).read_bytes()
    send(handler, content[: len(content) // 2], len(content))


def send_web_page(handler):
    send(handler, b"<html>Please log in to this network</html>")


def refuse(handler):
    handler.send_error(403)


def send_without_end(handler):
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):  # until the other side has enough of it
        while True:
            handler.wfile.write(bytes(100000))


def send_nonsense(handler):
    handler.wfile.write(b"This is no web server\r\n")


def send_half_an_archive(handler):
    send(handler, (ROOT / "data" / handler.path.split("/")[-1]).read_bytes()[:2000])


def send_a_damaged_archive(handler):
    send(handler, b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 100)


def send_the_size_of_a_film(handler):
    send(handler, bytes(1000), 4000000000)


def send_a_bomb(handler):
    send(handler, gzip.compress(bytes(20000000)))


def download_alone(function, folder, *arguments):
    """The source of a program that downloads into a folder and does not spend time on reading it."""
    *name, address = arguments
    values = ", ".join([f"Path({str(folder)!r})", *name, f"({address!r},)"])
    return f"import mnistdata; from pathlib import Path; mnistdata.{function}({values})"


DEAD_MIRROR = "http://127.0.0.1:9/"  # the discard port, where nobody listens


def test_a_missing_file_is_downloaded_from_the_first_mirror_that_has_it(folder, monkeypatch, mnist):
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with mirror(refuse) as forbidden, mirror(send_half) as short, mirror(send_archive) as good:
        monkeypatch.setattr(mnistdata, "MIRRORS", (DEAD_MIRROR, forbidden, short, good))
        parts = mnistdata.read_data_sets(str(folder), one_hot=True, reshape=False)
    assert (parts.train.labels == mnist.train.labels).all()
    assert sorted(os.listdir(str(folder))) == ARCHIVES
    for name in ARCHIVES:
        assert (folder / name).read_bytes() == (ROOT / "data" / name).read_bytes()


def test_a_file_of_mnist_is_not_downloaded_into_another_data_set(tmp_path, monkeypatch):
    write_small_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    before = sorted(os.listdir(str(tmp_path)))
    with mirror(send_archive) as address:
        monkeypatch.setattr(mnistdata, "MIRRORS", (address,))
        message = error_of(tmp_path)
    assert "has no t10k-labels-idx1-ubyte.gz" in message and "is not the published one" in message
    assert sorted(os.listdir(str(tmp_path))) == before


def emnist(folder):
    write_small_set(folder)
    for path in sorted(folder.iterdir()):
        name = path.name.replace("t10k", "test")
        (folder / f"emnist-letters-{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def qmnist(folder):
    (folder / "qmnist-train-labels-idx2-int.gz").write_bytes(gzip.compress(b"\0\0\x0c\x02" + bytes(16)))


def pictures(folder):
    (folder / "three.png").write_bytes(b"\x89PNG")
    (folder / "labels.csv").write_text("three,3\n")


def tables(folder, names="abcde"):
    for name in names:
        (folder / f"{name}.csv").write_text("three,3\n")


def files_in_a_folder(folder):
    (folder / "raw").mkdir()
    write_small_set(folder / "raw")


def mnist_and(name, content):
    def put(folder):
        shutil.copy(str(ROOT / "data" / "t10k-labels-idx1-ubyte.gz"), str(folder))
        (folder / name).write_bytes(content)

    return put


LETTERS = idx(np.zeros([5, 28, 28]))


@pytest.mark.parametrize(
    "put, named",
    [
        (emnist, "(emnist-letters-test-images-idx3-ubyte.gz, emnist-letters-test-labels-idx1-ubyte.gz, emnist-"),
        (qmnist, "(qmnist-train-labels-idx2-int.gz)"),
        (pictures, "(labels.csv, three.png)"),
        (files_in_a_folder, "(raw)"),
        (tables, "(a.csv, b.csv, c.csv, d.csv, e.csv)"),
        (lambda folder: tables(folder, "fedcba"), "(a.csv, b.csv, c.csv, d.csv, e.csv, …)"),
        (mnist_and("letters.idx3-ubyte", LETTERS), "(letters.idx3-ubyte)"),
        (mnist_and("letters", LETTERS), "(letters)"),
        (mnist_and("letters.gz", gzip.compress(LETTERS)), "(letters.gz)"),
        (mnist_and("t10k-images-idx3-ubyte", LETTERS), "(t10k-images-idx3-ubyte)"),
        (mnist_and("t10k-labels-idx1-ubyte", idx(np.zeros(5))), "(t10k-labels-idx1-ubyte)"),
    ],
)
def test_nothing_is_downloaded_into_a_folder_of_other_data(tmp_path, monkeypatch, capsys, put, named):
    monkeypatch.setattr(mnistdata, "MIRRORS", ())
    put(tmp_path)
    before = sorted(os.listdir(str(tmp_path)))
    message = error_of(tmp_path)
    assert f"{tmp_path} has no train-images-idx3-ubyte.gz, and what lies there is not the published one" in message
    assert named in message and message.endswith(
        "), expected an empty folder or files of MNIST alone: give the four files of another data set the names "
        "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; for MNIST, "
        "pass another folder"
    )
    assert sorted(os.listdir(str(tmp_path))) == before
    assert capsys.readouterr() == ("", "")


def test_other_data_in_the_current_folder_is_not_passed_over_for_the_digits_beside_the_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    emnist(tmp_path / "data")
    assert "emnist-letters-test-images-idx3-ubyte.gz" in error_of("data")


def test_a_folder_that_counts_as_empty_is_filled_and_a_line_says_so_for_each_file(tmp_path, monkeypatch, capsys):
    for name in (".gitkeep", "README.md", "Thumbs.db", "desktop.ini", "t10k-images-idx3-ubyte.gz.0123.part"):
        (tmp_path / name).write_text("")
    (tmp_path / "lost+found").mkdir()
    with mirror(send_archive) as address:
        monkeypatch.setattr(mnistdata, "MIRRORS", (address,))
        assert mnistdata.read_data_sets(str(tmp_path)).train.num_examples == 60000
    assert set(os.listdir(str(tmp_path))) > set(ARCHIVES)
    printed, said = capsys.readouterr()
    assert printed == ""
    assert sorted(said.splitlines()) == [f"{tmp_path / name} is missing: downloading it" for name in ARCHIVES]


def test_files_of_mnist_are_completed_beside_files_in_other_formats(folder, monkeypatch, mnist):
    unzipped = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    (folder / "train-labels.idx1-ubyte").write_bytes(unzipped)  # a second time
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    pictures(folder)
    (folder / "notes.gz").write_bytes(b"\x1f\x8b and no archive")
    if hasattr(os, "mkfifo"):
        os.mkfifo(str(folder / "pipe"))  # which nobody answers
    with mirror(send_archive) as address:
        monkeypatch.setattr(mnistdata, "MIRRORS", (address,))
        assert mnistdata.read_data_sets(str(folder)).test.labels.tolist() == mnist.test.labels.argmax(axis=1).tolist()


def test_files_are_downloaded_from_the_address_that_is_passed_and_only_if_they_are_mnists(tmp_path, monkeypatch):
    monkeypatch.setattr(mnistdata, "MIRRORS", ())
    with mirror(send_archive) as address:
        assert mnistdata.read_data_sets(str(tmp_path), source_url=address.rstrip("/")).test.num_examples == 10000
    empty = tmp_path / "empty"
    empty.mkdir()
    with mirror(lambda handler: send(handler, gzip.compress(LETTERS))) as address, mirror(send_archive) as usual:
        monkeypatch.setattr(mnistdata, "MIRRORS", (usual,))  # of no other address than the one that is passed
        message = error_of(empty, source_url=address)
    assert address in message and "not MNIST's by its SHA-256" in message and os.listdir(str(empty)) == []
    assert "unknown url type" in error_of(empty, source_url="mirror")


MIRRORS_THAT_FAIL = {
    refuse: "HTTP Error 403: Forbidden",
    send_half: "the connection ended after 2,271 of 4,542 bytes",
    send_web_page: "sent a web page (42 bytes), not MNIST's by its SHA-256",
    send_nonsense: "This is no web server",
    send_half_an_archive: "Compressed file ended before the end-of-stream marker was reached",
    send_a_damaged_archive: "Error -3 while decompressing data",
}


def test_all_mirrors_down_names_each_and_its_reason_and_keeps_nothing(folder, monkeypatch):
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.unlink()
    with ExitStack() as stack:
        mirrors = [DEAD_MIRROR, *(stack.enter_context(mirror(answer)) for answer in MIRRORS_THAT_FAIL)]
        monkeypatch.setattr(mnistdata, "MIRRORS", tuple(mirrors))
        message = error_of(folder)
    begin, *reasons = re.split(rf"(?:\(|; )(?={'|'.join(mirrors)})", message)
    assert begin == f"{path} is missing and no mirror gave it "
    for reason, address, expected in zip(reasons, mirrors, ["", *MIRRORS_THAT_FAIL.values()]):
        assert reason.startswith(f"{address}{path.name}: {expected}")
    assert len(reasons) == len(mirrors) and "refused" in reasons[0]
    assert reasons[-1].endswith("): check the network, or copy the file there by hand")
    assert sorted(os.listdir(str(folder))) == [name for name in ARCHIVES if name != path.name]


def test_no_more_is_read_or_unzipped_than_the_file_has(folder, monkeypatch):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    sizes, sha256 = [], mnistdata.sha256
    monkeypatch.setattr(mnistdata, "sha256", lambda content: sizes.append(len(content)) or sha256(content))
    with mirror(send_without_end) as first, mirror(send_the_size_of_a_film) as second, mirror(send_a_bomb) as third:
        mirrors = (first, second, third)
        monkeypatch.setattr(mnistdata, "MIRRORS", mirrors)
        message = error_of(folder)
    for address, reason in zip(mirrors, ["sends more than 75,544 bytes, which can't be MNIST's"] * 2 + ["SHA-256"]):
        assert reason in message.split(address)[1]
    assert sizes[-1] == 10009


def test_a_mirror_that_says_nothing_is_given_up(folder, monkeypatch):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    gone = threading.Event()
    with mirror(lambda handler: gone.wait()) as silent:
        monkeypatch.setattr(mnistdata, "MIRRORS", (silent,))
        monkeypatch.setattr(mnistdata, "TIMEOUT", 0.2)
        try:
            assert "timed out" in error_of(folder)
        finally:
            gone.set()


def test_a_folder_that_takes_no_file_is_named_with_the_reason(folder, monkeypatch):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()

    def no_space(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mnistdata.Path, "write_bytes", no_space)
    with mirror(send_archive) as address:
        monkeypatch.setattr(mnistdata, "MIRRORS", (address, DEAD_MIRROR))
        message = error_of(folder)
    assert message == (
        f"{folder / 't10k-labels-idx1-ubyte.gz'} can't be written (No space left on device): pass a folder that has "
        f"room and that you may write to, or copy the four MNIST files there by hand"
    )
    assert sorted(os.listdir(str(folder))) == [name for name in ARCHIVES if "t10k-labels" not in name]


def test_an_interrupted_download_leaves_nothing_under_the_real_name(tmp_path):
    started, gone = threading.Event(), threading.Event()

    def send_some_and_stall(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "9912422")
        handler.end_headers()
        handler.wfile.write(bytes(1000000))
        started.set()
        gone.wait()

    with mirror(send_some_and_stall) as address:
        code = download_alone("complete", tmp_path, address)
        process = subprocess.Popen([sys.executable, "-c", code], env=environment(), stderr=subprocess.DEVNULL)
        try:
            assert started.wait(60)
        finally:
            process.kill()
            process.wait()
            gone.set()
    assert [name for name in os.listdir(str(tmp_path)) if not name.endswith(".part")] == []


def test_two_scripts_that_start_at_once_both_get_the_data(tmp_path):
    both_here = threading.Barrier(2)
    arrivals = iter(range(2))
    lock = threading.Lock()

    def send_to_both(handler):
        with lock:
            first_two = next(arrivals, None) is not None
        if first_two:
            both_here.wait(60)
        send_archive(handler)

    with mirror(send_to_both) as address:
        command = [sys.executable, "-c", download_alone("complete", tmp_path, address)]
        processes = [subprocess.Popen(command, env=environment()) for _ in range(2)]
        assert [process.wait(120) for process in processes] == [0, 0]
    assert sorted(os.listdir(str(tmp_path))) == ARCHIVES


@pytest.mark.parametrize("there", [None, b"the file", b"another"])
def test_a_file_that_the_faster_script_keeps_open_is_not_replaced_if_it_is_the_same(tmp_path, monkeypatch, there):
    """Windows refuses to replace a file that somebody reads."""
    path = tmp_path / "file"

    def denied(part, target):
        if there:
            target.write_bytes(there)
        raise PermissionError(13, "Access is denied")

    with monkeypatch.context() as patch:
        patch.setattr(mnistdata.Path, "replace", denied)
        if there == b"the file":
            mnistdata.save(b"the file", path)
        else:
            with pytest.raises(mnistdata.DataError, match="file can't be written .Access is denied"):
                mnistdata.save(b"the file", path)
    assert os.listdir(str(tmp_path)) == (["file"] if there else [])


def test_a_terminal_shows_the_progress_of_a_download_and_a_file_does_not(tmp_path):
    with mirror(send_archive) as address:
        command = [sys.executable, "-c", download_alone("download", tmp_path, "mnistdata.TEST_IMAGES", address)]
        line = f"{tmp_path / 't10k-images-idx3-ubyte.gz'} is missing: downloading it{os.linesep}"
        assert subprocess.check_output(command, env=environment(), stderr=subprocess.STDOUT) == line.encode()
        terminal, terminal_end = pytest.importorskip("pty").openpty()
        subprocess.check_call(command, env=environment(), stderr=terminal_end)
        os.close(terminal_end)
        shown = b""
        while b"100%" not in shown:
            shown += os.read(terminal, 10000)
        os.close(terminal)
    assert b"t10k-images-idx3-ubyte.gz [##############################] 100%" in shown


def test_the_progress_of_a_download_grows_from_nothing_to_the_whole_line(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    for received in (0, 500, 1000):
        mnistdata.show_progress("https://a.example/mnist/train.gz", received, 1000)
    parts = terminal.getvalue().split("\r")
    assert parts == [
        "",
        f"train.gz [{' ' * 30}]   0%",
        f"train.gz [{'#' * 15}{' ' * 15}]  50%",
        f"train.gz [{'#' * 30}] 100%\n",
    ]


def test_where_no_progress_can_be_shown_none_is(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    mnistdata.show_progress("https://a.example/mnist/train.gz", 500, 0)  # its size is not known
    assert terminal.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", None)
    mnistdata.show_progress("https://a.example/mnist/train.gz", 500, 1000)
