"""mnistdata: the arrays, the batches, the download, and every way in which a data folder can be broken."""

import gzip
import http.server
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

import mnistdata
from helpers import ROOT, environment, idx

ARCHIVES = sorted(path.name for path in (ROOT / "data").glob("*.gz"))


@pytest.fixture(scope="module")
def mnist():
    return mnistdata.read_data_sets("data", one_hot=True, reshape=False, seed=0)


@pytest.fixture
def folder(tmp_path):
    """A copy of the data folder, to break."""
    for name in ARCHIVES:
        shutil.copy(str(ROOT / "data" / name), str(tmp_path))
    return tmp_path


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
    assert mnist.validation is None


def test_pixels_are_those_of_the_file():
    raw = gzip.decompress((ROOT / "data" / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    expected = np.frombuffer(raw, np.uint8)
    flat = mnistdata.read_data_sets("data").test.images
    assert flat.shape == (10000, 784)
    np.testing.assert_allclose(flat.ravel() * 255, expected, atol=1e-4)
    as_bytes = mnistdata.read_data_sets("data", dtype=np.uint8).test.images
    assert as_bytes.dtype == np.uint8
    assert (as_bytes.ravel() == expected).all()


def test_labels_are_the_published_ones(mnist):
    assert mnist.train.labels[:8].argmax(axis=1).tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    integers = mnistdata.read_data_sets("data", one_hot=False).train.labels
    assert integers[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert np.issubdtype(integers.dtype, np.integer)


def test_validation_takes_the_first_training_images(mnist):
    parts = mnistdata.read_data_sets("data", one_hot=True, reshape=False, validation_size=10000)
    assert (parts.train.num_examples, parts.validation.num_examples) == (50000, 10000)
    assert (parts.validation.images[0] == mnist.train.images[0]).all()
    assert (parts.train.images[0] == mnist.train.images[10000]).all()
    assert (parts.train.labels[0] == mnist.train.labels[10000]).all()


def test_a_call_written_for_tensorflows_old_reader_works():
    import tensorflow.compat.v1 as tf

    parts = mnistdata.read_data_sets("data", one_hot=True, dtype=tf.uint8, reshape=False, validation_size=0, seed=3)
    assert parts.train.images.dtype == np.uint8
    assert len(parts.train.images) == 60000


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": np.int64},
        {"dtype": "nonsense"},
        {"validation_size": 60000},
        {"validation_size": -1},
        {"validation_size": 0.1},
        {"seed": -1},
        {"seed": "one"},
    ],
)
def test_an_impossible_option_is_named(options):
    message = error_of("data", **options)
    assert list(options)[0] in message and "expected" in message


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
    train = mnistdata.read_data_sets("data", seed=0).train
    assert train.next_batch(20)[1].tolist() == [3, 6, 6, 6, 0, 3, 6, 2, 5, 6, 5, 8, 0, 0, 0, 1, 2, 2, 9, 3]


def test_different_seeds_and_no_seed_give_different_batches():
    firsts = [
        mnistdata.read_data_sets("data", seed=seed).train.next_batch(100)[1].tolist() for seed in (0, 1, None, None)
    ]
    assert len({tuple(labels) for labels in firsts}) == 4


def test_without_shuffling_the_images_come_in_the_order_of_the_file(mnist):
    test = mnistdata.read_data_sets("data", reshape=False).test
    assert (test.next_batch(100, shuffle=False)[0] == mnist.test.images[:100]).all()
    assert (test.next_batch(100, shuffle=False)[0] == mnist.test.images[100:200]).all()


@pytest.mark.parametrize("size", [0, -5, 5.0, "5"])
def test_an_impossible_batch_size_is_refused(mnist, size):
    with pytest.raises(ValueError, match=f"batch_size is {size!r}, expected a whole number, 1 or more"):
        mnist.test.next_batch(size)


# -- other files and folders


@pytest.mark.parametrize("dotted", [False, True])
def test_unzipped_files_are_read_too(folder, dotted, mnist):
    for name in ARCHIVES:
        unzipped = name[:-3].replace("-idx", ".idx") if dotted else name[:-3]
        (folder / unzipped).write_bytes(gzip.decompress((folder / name).read_bytes()))
        (folder / name).unlink()
    parts = mnistdata.read_data_sets(str(folder), reshape=False)
    assert (parts.test.images == mnist.test.images).all()


def test_another_set_in_the_same_format_works(tmp_path):
    write_small_set(tmp_path, train=60, test=20, classes=12, side=32)
    parts = mnistdata.read_data_sets(str(tmp_path), one_hot=True, reshape=False)
    assert parts.train.images.shape == (60, 32, 32, 1)
    assert parts.train.labels.shape == (60, 12)
    assert parts.test.labels.shape == (20, 12)


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


# -- broken folders and files


def test_missing_folder():
    message = error_of("no such folder")
    assert "'no such folder' not found" in message and "pass the folder" in message


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
    assert "train-images-idx3-ubyte.gz can't be read (Permission denied)" in message


def test_a_folder_that_may_not_be_searched(folder, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(mnistdata.Path, "is_file", denied)
    assert f"{folder} can't be searched (Permission denied)" in error_of(folder)


def test_truncated_archive(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:5000000])
    message = error_of(folder)
    assert str(path) in message and "5,000,000 bytes" in message and "delete it and it will be downloaded" in message


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
    assert str(path) in message and "9,998 bytes, expected 10,008" in message


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
    assert f"{images} is a file of labels, expected a file of images" in message


def test_different_counts(folder):
    shutil.copy(str(folder / "t10k-images-idx3-ubyte.gz"), str(folder / "train-images-idx3-ubyte.gz"))
    message = error_of(folder)
    assert "10000 images" in message and "60000 labels" in message and "replace the file" in message


def test_a_file_of_mnist_beside_one_of_another_set(folder):
    path = folder / "train-labels-idx1-ubyte"
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    path.write_bytes(idx(np.zeros(60000)))
    message = error_of(folder)
    assert str(path) in message and "of another data set" in message


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    "content, found",
    [
        (b"", "an empty file"),
        (b"\0\0\x08\x03\0", "a file of images"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a file of another type that begins with b'\\x89PNG"),
    ],
)
def test_a_file_of_another_type(folder, content, found, suffix):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    path = folder / ("train-images-idx3-ubyte" + suffix)
    path.write_bytes(content)
    message = error_of(folder)
    assert f"{path} is {found}" in message and "expected" in message


def test_a_file_without_images(folder):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(idx(np.zeros([0, 28, 28])))
    assert f"{path} holds no images" in error_of(folder)


def test_a_header_with_absurd_sizes(folder):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12 + bytes(784))
    message = error_of(folder)
    assert str(path) in message and "800 bytes" in message


def test_training_and_test_images_of_different_sizes(tmp_path):
    write_small_set(tmp_path, side=28)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros([20, 20, 20])))
    message = error_of(tmp_path)
    assert "(28, 28)" in message and "(20, 20)" in message


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
        thread = threading.Thread(target=server.serve_forever)
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


DEAD_MIRROR = "http://127.0.0.1:9/"  # the discard port, where nobody listens


def test_a_missing_file_is_downloaded_from_the_first_mirror_that_has_it(folder, monkeypatch, mnist):
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with mirror(refuse) as forbidden, mirror(send_half) as short, mirror(send_archive) as good:
        monkeypatch.setattr(mnistdata, "MIRRORS", (DEAD_MIRROR, forbidden, short, good))
        parts = mnistdata.read_data_sets(str(folder), one_hot=True, reshape=False)
    assert (parts.train.labels == mnist.train.labels).all()
    assert sorted(os.listdir(str(folder))) == ARCHIVES


def test_a_file_of_mnist_is_not_downloaded_into_another_data_set(tmp_path, monkeypatch):
    write_small_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    before = sorted(os.listdir(str(tmp_path)))
    with mirror(send_archive) as address:
        monkeypatch.setattr(mnistdata, "MIRRORS", (address,))
        message = error_of(tmp_path)
    assert "has no t10k-labels-idx1-ubyte.gz" in message and "is not the published one" in message
    assert sorted(os.listdir(str(tmp_path))) == before


def test_an_empty_folder_is_filled(tmp_path, monkeypatch):
    with mirror(send_archive) as address:
        monkeypatch.setattr(mnistdata, "MIRRORS", (address,))
        assert mnistdata.read_data_sets(str(tmp_path)).train.num_examples == 60000
    assert sorted(os.listdir(str(tmp_path))) == ARCHIVES


def test_all_mirrors_down_names_each_and_its_reason_and_keeps_nothing(folder, monkeypatch):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with mirror(refuse) as first, mirror(send_half) as second, mirror(send_web_page) as third:
        mirrors = (DEAD_MIRROR, first, second, third)
        monkeypatch.setattr(mnistdata, "MIRRORS", mirrors)
        message = error_of(folder)
    assert "t10k-labels-idx1-ubyte.gz is missing" in message
    for address, reason in zip(mirrors, ("refused", "403: Forbidden", "ended after 2,271 of 4,542", "a web page")):
        assert reason in message.split(address)[1]
    assert "t10k-labels-idx1-ubyte.gz" not in os.listdir(str(folder))


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
        monkeypatch.setattr(mnistdata, "MIRRORS", (address,))
        message = error_of(folder)
    assert str(folder) in message and "No space left on device" in message
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
        code = f"import mnistdata; mnistdata.MIRRORS = ({address!r},); mnistdata.read_data_sets({str(tmp_path)!r})"
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
        code = f"import mnistdata; mnistdata.MIRRORS = ({address!r},); mnistdata.read_data_sets({str(tmp_path)!r})"
        processes = [subprocess.Popen([sys.executable, "-c", code], env=environment()) for _ in range(2)]
        assert [process.wait(120) for process in processes] == [0, 0]
    assert sorted(os.listdir(str(tmp_path))) == ARCHIVES


def test_a_terminal_shows_the_progress_of_a_download_and_a_file_does_not(tmp_path):
    with mirror(send_archive) as address:
        code = (
            f"import mnistdata; mnistdata.MIRRORS = ({address!r},); "
            f"from pathlib import Path; mnistdata.download(Path({str(tmp_path)!r}), mnistdata.TEST_IMAGES)"
        )
        command = [sys.executable, "-c", code]
        assert subprocess.check_output(command, env=environment(), stderr=subprocess.STDOUT) == b""
        terminal, terminal_end = pytest.importorskip("pty").openpty()
        subprocess.check_call(command, env=environment(), stderr=terminal_end)
        os.close(terminal_end)
        shown = b""
        while b"100%" not in shown:
            shown += os.read(terminal, 10000)
        os.close(terminal)
    assert b"t10k-images-idx3-ubyte.gz [##############################] 100%" in shown
