# SPDX-License-Identifier: Apache-2.0
"""MNIST, 70,000 handwritten digits, as numpy arrays in batches of any size.

    import mnistdata
    mnist = mnistdata.read_data_sets("data", one_hot=True, reshape=False)
    mnist.train.images                              # float32 [60000, 28, 28, 1], 0 is white, 1 is black
    mnist.train.labels                              # float32 [60000, 10], the 3 is [0 0 0 1 0 0 0 0 0 0]
    images, labels = mnist.train.next_batch(100)    # 100 of them, in a new random order each epoch
    mnist.test                                      # the same for the 10,000 digits kept apart for testing

The four files of the set are in IDX format (http://yann.lecun.com/exdb/mnist/): a big-endian header of 32-bit
integers, a magic number and the sizes, then one unsigned byte for each pixel or label. Any other set in that
format works, Fashion-MNIST for one. Files of MNIST that are missing are downloaded, verified, and only then kept; never
into a folder of other data.
"""

import functools
import gzip
import hashlib
import http.client
import io
import numbers
import operator
import os
import re
import sys
import urllib.error
import urllib.request
import uuid
import zlib
from collections import namedtuple
from pathlib import Path

import numpy as np

MIRRORS = (  # most reliable first
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
TIMEOUT = 20  # seconds without a byte before a mirror counts as down

SHA256 = {  # of the four published files, unzipped
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = SHA256
SIZES = dict(zip(SHA256, (47040016, 60008, 7840016, 10008)))  # bytes of these
OVERHEAD = 1 << 16  # bytes that gzip may add to them if it does not make them shorter

KINDS = {0x00000803: "images", 0x00000801: "labels"}  # unsigned bytes (08) in 3 dimensions, in 1 dimension
IDX_NAME = re.compile(r"idx\d", re.IGNORECASE)  # as in emnist-letters-train-images-idx3-ubyte.gz
IDX_BEGIN = re.compile(rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x08]")  # numbers of any type in any number of dimensions
GZIP_BEGIN, ZIP_BEGIN = b"\x1f\x8b", b"PK\x03\x04"
# A folder with nothing but these counts as empty, on each system
NO_DATA = re.compile(r"\.|README|lost\+found|desktop\.ini|Thumbs\.db|.*\.part$")

DataSets = namedtuple("DataSets", "train validation test")

NO_FAKES = "False: this reader makes up no images"
CURE = "replace it or, if it is of MNIST, delete it and it will be downloaded"


class DataError(SystemExit, ValueError):
    """A data set that can't be had, said in one sentence.

    Uncaught, it ends the script with that sentence and status 1, as sys.exit(sentence) does: a traceback through
    this file would tell a learner nothing. To code that catches it, it is a ValueError.
    """


def check(holds, what, value, expected):
    """Raises DataError about a value unless something holds for it."""
    if not holds:
        raise DataError(f"{what} is {value!r}, expected {expected}")


def is_whole(value, least, most):
    return isinstance(value, numbers.Integral) and least <= value <= most


class DataSet:
    """Images and their labels, handed out in batches.

    images: array [n, rows, columns, 1] or [n, rows * columns]; labels: array [n, classes] or [n].
    """

    def __init__(self, images, labels, seed=None):
        self.images = images
        self.labels = labels
        # RandomState and not default_rng: numpy promises that its numbers for a seed will never change
        self._random = np.random.RandomState(seed)
        self._order = np.arange(0)  # the epoch's images, as indices, in the order in which they are handed out
        self._position = 0  # how many of them have been
        self._epochs_begun = 0

    @property
    def num_examples(self):
        """How many images there are."""
        return len(self.images)

    @property
    def epochs_completed(self):
        """How many times every image has been handed out."""
        return self._epochs_begun if self._position == len(self._order) else self._epochs_begun - 1

    def next_batch(self, batch_size, *unnamed, shuffle=True, fake_data=False):
        """The next batch_size images and labels, as a pair of arrays.

        Every image comes exactly once an epoch. Each epoch has a random order of its own, or the order of the
        files if shuffle is False when it begins. A batch that reaches the end of an epoch is filled up from the
        next one. Raises DataError, a ValueError, for arguments that can't be followed and if there are no images.
        """
        check(is_whole(batch_size, 1, float("inf")), "next_batch: batch_size", batch_size, "a whole number, 1 or more")
        if unnamed:
            raise DataError(
                f"next_batch: {unnamed[0]!r} has no name, and TensorFlow's reader took it for fake_data: write "
                f"next_batch({batch_size}), or shuffle={unnamed[0]!r} if that is meant"
            )
        check(not fake_data, "next_batch: fake_data", fake_data, NO_FAKES)
        check(self.num_examples, "next_batch: the number of images here", 0, "1 or more (see validation_size)")
        parts, missing = [], batch_size
        while missing:
            if self._position == len(self._order):
                self._begin_epoch(shuffle)
            part = self._order[self._position : self._position + missing]
            self._position += len(part)
            missing -= len(part)
            parts.append(part)
        indices = np.concatenate(parts)
        return self.images[indices], self.labels[indices]

    def _begin_epoch(self, shuffle):
        self._order = self._random.permutation(self.num_examples) if shuffle else np.arange(self.num_examples)
        self._position = 0
        self._epochs_begun += 1


def read_data_sets(
    data_dir=None,
    *unnamed,
    one_hot=False,
    reshape=True,
    validation_size=0,
    seed=None,
    dtype=np.float32,
    num_classes=None,
    source_url=None,
    fake_data=False,
    train_dir=None,
):
    """Reads the four files of a data set and returns its parts: .train, .validation and .test, each a DataSet.

    data_dir: the folder of the files, as .gz archives or unzipped; a relative one that is not in the current
        folder is looked up beside this module. Into an empty folder, and into one that has files of MNIST and of no
        other set, the missing ones of MNIST are downloaded.
    one_hot: labels as float32 [n, num_classes] with a single 1 each, instead of uint8 [n].
    reshape: images as [n, 784] instead of [n, 28, 28, 1].
    validation_size: how many of the first training images to put into .validation instead of .train.
    seed: an integer for the same batches in every run, on every machine; None for others each time.
    dtype: float32 for pixels in [0, 1], uint8 for pixels in 0..255 as they are in the files.
    num_classes: the labels are 0 to num_classes - 1; None for 10, or more, up to 255, if the labels need them.
    source_url: where to download the files of MNIST from, in place of MIRRORS.

    The keywords are those of TensorFlow's own former reader, and mean what they meant there. So does train_dir, its
    name of data_dir; fake_data has to be False. Where it had fake_data first, one_hot and reshape may stand without
    their names as long as that is clear.
    Raises DataError, a ValueError, with one sentence that names the file and the cure.
    """
    one_hot, reshape = named(unnamed, one_hot, reshape)
    dtype = getattr(dtype, "as_numpy_dtype", dtype)  # tf.float32 will do as well
    for name, value, is_right, expected in (
        ("train_dir", train_dir, None in (data_dir, train_dir), "no second name of data_dir"),
        ("fake_data", fake_data, not fake_data, NO_FAKES),
        ("dtype", dtype, dtype in (np.float32, np.uint8, "float32", "uint8"), "float32 or uint8"),
        ("seed", seed, seed is None or is_whole(seed, 0, 2**32 - 1), "None or a whole number from 0 to 2**32 - 1"),
        ("num_classes", num_classes, num_classes is None or is_whole(num_classes, 1, 256), "None or 1 to 256"),
        ("source_url", source_url, isinstance(source_url, (str, type(None))), "None or the address of a folder"),
    ):
        check(is_right, f"read_data_sets: {name}", value, expected)
    folder = find_folder(train_dir if data_dir is None else data_dir)
    paths = complete(folder, (source_url,) if source_url else MIRRORS)
    labels_end = num_classes or (255 if one_hot else 256)  # 255 is how -1, for no label, is stored as a byte
    # the largest file first: its archive is in memory beside its pixels, and nothing else is yet
    train_images, train_labels = read_pair(paths, TRAIN_IMAGES, TRAIN_LABELS, np.dtype(dtype), labels_end)
    test_images, test_labels = read_pair(paths, TEST_IMAGES, TEST_LABELS, np.dtype(dtype), labels_end)
    sizes = [images.shape[1:3] for images in (train_images, test_images)]
    if sizes[0] != sizes[1]:
        raise DataError(
            f"{folder}: the training images have {sizes[0]} pixels and the test images {sizes[1]}, expected the same "
            f"size; put the files of one data set into this folder"
        )
    most = len(train_images) - 1
    expected = f"a whole number from 0 to {most}, less than the training images there are"
    check(is_whole(validation_size, 0, most), "read_data_sets: validation_size", validation_size, expected)
    if reshape:
        train_images = train_images.reshape(len(train_images), -1)
        test_images = test_images.reshape(len(test_images), -1)
    if one_hot:
        rows = np.eye(num_classes or max(10, 1 + int(max(train_labels.max(), test_labels.max()))), dtype=np.float32)
        train_labels, test_labels = rows[train_labels], rows[test_labels]
    v = validation_size
    return DataSets(
        train=DataSet(train_images[v:], train_labels[v:], seed),
        validation=DataSet(train_images[:v], train_labels[:v], seed),
        test=DataSet(test_images, test_labels, seed),
    )


def named(unnamed, one_hot, reshape):
    """one_hot and reshape, which may have come without their names."""
    if len(unnamed) > 2 or (len(unnamed) == 2 and not unnamed[0]):
        raise DataError(
            f"read_data_sets: {unnamed} have no names, and TensorFlow's reader took them for fake_data, one_hot, "
            f"dtype, reshape: write their names, as in one_hot=True"
        )
    one_hot = one_hot or unnamed[:1] == (True,)
    return one_hot, unnamed[1] if len(unnamed) == 2 else reshape


# ------------------------------------------------------------------------------------------------------------- reading


def find_folder(data_dir):
    """The Path of data_dir in the current folder, or else beside this module; the one of them that holds data."""
    check(isinstance(data_dir, (str, os.PathLike)), "read_data_sets: data_dir", data_dir, "the path of a folder")
    here = Path(os.path.expanduser(data_dir))
    beside_module = Path(__file__).resolve().parent / here  # an absolute path stays what it is
    folders = [folder for folder in (here, beside_module) if os.path.isdir(str(folder))]
    for folder in folders:
        if any(IDX_NAME.search(name) for name in entries(folder)):
            return folder
    if folders:
        return folders[0]
    if os.path.exists(str(here)):
        raise DataError(f"{here} is a file, expected the folder that holds the four files of a data set")
    raise DataError(
        f"Data folder '{data_dir}' not found, neither in the current folder nor as {beside_module}: pass the folder "
        f"of the MNIST files ('data' in a clone of this project), or make it and they will be downloaded into it"
    )


def read_pair(paths, images_name, labels_name, dtype, labels_end):
    """The images [n, rows, columns, 1] and labels [n] of two files that belong together."""
    images_path, labels_path = paths[images_name], paths[labels_name]
    images, images_published = read_idx(images_path, images_name, "images")
    # multiply into a new array, block by block inside numpy: no second copy of all pixels in float32
    pixels = images
    if dtype == np.float32:
        pixels = np.multiply(images, np.float32(1 / 255), out=aligned_array(images.shape, dtype))
    del images
    labels, labels_published = read_idx(labels_path, labels_name, "labels")
    if len(pixels) != len(labels):
        raise DataError(
            f"{images_path} holds {len(pixels)} images and {labels_path} {len(labels)} labels, expected as many of "
            f"one as of the other; replace the file that is not of this data set"
        )
    if images_published != labels_published:  # either both are MNIST's, or both are another set's
        stranger, mate = (images_path, labels_path) if labels_published else (labels_path, images_path)
        raise DataError(
            f"{stranger} is not the published MNIST file (its SHA-256 differs), but {mate} is: it is damaged or of "
            f"another data set; delete it and it will be downloaded, or put both files of the other set there"
        )
    highest = int(labels.max())
    if highest >= labels_end:
        raise DataError(
            f"{labels_path} holds the label {highest}, expected 0 to {labels_end - 1}: pass num_classes={highest + 1} "
            f"if it is one of the classes, or replace the file"
        )
    return pixels[..., np.newaxis], labels


def aligned_array(shape, dtype):
    """A new array that begins at a multiple of 64 bytes: such a one TensorFlow takes as it is, others it copies."""
    size = functools.reduce(operator.mul, shape) * dtype.itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def read_idx(path, name, kind):
    """Reads a file, verifies it, and returns (array uint8, whether it is MNIST's own file of that name)."""
    content = read_content(path)
    return parse_idx(content, kind, path), sha256(content) == SHA256[name]


def read_content(path):
    """The bytes of a file, unzipped if they are a gzip archive, whatever it is named."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}): make it a file that you may read")
    try:
        return unzip(content)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{path} is a damaged gzip archive of {len(content):,} bytes ({error}), expected a whole one; {CURE}"
        )


def unzip(content, most=-1):
    """The bytes in a gzip archive, or so many of them; what is none stays what it is."""
    if not content.startswith(GZIP_BEGIN):
        return content
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as archive:
        return archive.read(most)


def parse_idx(content, kind, path):
    """The bytes of an IDX file as an array uint8: [n, rows, columns] for images, [n] for labels."""
    dimensions = 3 if kind == "images" else 1
    header_size = 4 + 4 * dimensions
    if KINDS.get(int.from_bytes(content[:4], "big")) != kind or len(content) < header_size:
        raise DataError(
            f"{path} is {describe(content)}, expected a file of {kind}, IDX of {header_size} bytes or more; {CURE}"
        )
    shape = np.frombuffer(content, dtype=">u4", offset=4, count=dimensions).tolist()
    if 0 in shape:
        raise DataError(f"{path} holds no {kind}, its header announces {shape}; {CURE}")
    # the product in Python integers, which can't overflow: a bad header may announce any sizes
    expected = header_size + functools.reduce(operator.mul, shape)
    if len(content) != expected:
        raise DataError(
            f"{path} holds {len(content):,} bytes, expected {expected:,} for the {'x'.join(map(str, shape))} "
            f"{kind} that its header announces; {CURE}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header_size).reshape(shape)


def describe(content):
    """What the content of a file looks like that should have been another."""
    if not content:
        return "an empty file"
    if content.lstrip()[:1] == b"<":
        return "a web page"
    if content.startswith(ZIP_BEGIN):
        return "a zip archive"
    kind = KINDS.get(int.from_bytes(content[:4], "big"))
    return f"a file of {kind}" if kind else f"a file of another type that begins with {content[:8]}"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


# ------------------------------------------------------------------------------------------------------- the download


def entries(folder):
    """All that a folder has, {name: whether it is a file}."""
    try:
        return {entry.name: entry.is_file() for entry in os.scandir(str(folder))}
    except OSError as error:
        raise DataError(f"{folder} can't be searched ({error.strerror}): make it a folder that you may read")


def complete(folder, mirrors):
    """The paths of the four files, {name: path}, under any of their usual names; what is missing is downloaded."""
    there, paths = entries(folder), {}
    for name in SHA256:
        dotted = name.replace("-idx", ".idx")  # the name that some programs unzip to
        found = [folder / usual for usual in (name + ".gz", name, dotted + ".gz", dotted) if there.get(usual)]
        paths[name] = found[0] if found else None
    missing = [name for name, path in paths.items() if not path]
    if missing:
        refuse_to_mix(folder, missing[0])
    for name in missing:
        paths[name] = download(folder, name, mirrors)
    return paths


def refuse_to_mix(folder, missing):
    """Raises DataError unless the folder is empty, or has files of MNIST and none of another set in IDX format."""
    there = [folder / name for name in sorted(entries(folder)) if not NO_DATA.match(name)]
    in_format = [path for path in there if is_idx(path)]
    strangers = [path for path in in_format if path.is_dir() or sha256(read_content(path)) not in SHA256.values()]
    if len(strangers) == len(in_format):  # nothing here is MNIST's: whatever it is, it is the user's
        strangers = there
    if strangers:
        names = ", ".join([path.name for path in strangers[:5]] + ["…"] * (len(strangers) > 5))
        raise DataError(
            f"{folder} has no {missing}.gz, and what lies there is not the published one of MNIST ({names}), "
            f"expected an empty folder or files of MNIST alone: give the four files of another data set the names "
            f"{', '.join(SHA256)}; for MNIST, pass another folder"
        )


def is_idx(path):
    """Whether a file is in IDX format, by its name or by how it begins, in a gzip archive too."""
    if IDX_NAME.search(path.name):
        return True
    try:
        if not path.is_file():  # a named pipe would never answer
            return False
        with path.open("rb") as file:
            begin = file.read(1000)
        if begin.startswith(GZIP_BEGIN):
            begin = zlib.decompressobj(wbits=31).decompress(begin, 4)
    except (OSError, zlib.error):
        return False
    return bool(IDX_BEGIN.match(begin))


def download(folder, name, mirrors):
    """Downloads an archive from the first mirror that has it whole, and returns its path."""
    path = folder / f"{name}.gz"
    print(f"{path} is missing: downloading it", file=sys.stderr, flush=True)
    reasons = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        try:
            archive = fetch(url, SIZES[name] + OVERHEAD)
            content = unzip(archive, SIZES[name] + 1)  # one byte too many tells as much as all of them
        except (OSError, EOFError, ValueError, zlib.error, http.client.HTTPException) as error:
            cause = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
            reasons.append(f"{url}: {str(cause).strip() or type(cause).__name__}")
            continue
        if sha256(content) == SHA256[name]:
            save(archive, path)
            return path
        reasons.append(f"{url}: sent {describe(archive)} ({len(archive):,} bytes), not MNIST's by its SHA-256")
    raise DataError(
        f"{path} is missing and no mirror gave it ({'; '.join(reasons)}): check the network, or copy the file there "
        f"by hand"
    )


def fetch(url, most):
    """The bytes behind a URL, with a progress bar where standard error is a terminal. OSError for more than most."""
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        total = getattr(response, "length", None) or 0  # bytes; None where the server does not say
        chunks, received = [], 0
        for chunk in iter(lambda: response.read(1 << 16), b""):
            chunks.append(chunk)
            received += len(chunk)
            if max(received, total) > most:
                raise OSError(f"sends more than {most:,} bytes, which can't be MNIST's")
            show_progress(url, received, total)
    if received < total:
        raise OSError(f"the connection ended after {received:,} of {total:,} bytes")
    return b"".join(chunks)


def show_progress(url, received, total):
    if sys.stderr and sys.stderr.isatty() and total:
        done = min(received / total, 1)
        bar = ("#" * round(30 * done)).ljust(30)
        end = "\n" if done == 1 else ""
        sys.stderr.write(f"\r{url.rpartition('/')[2]} [{bar}] {done:4.0%}{end}")
        sys.stderr.flush()


def save(content, path):
    """Writes a file so that nobody ever sees half of it under its name: two scripts may start at once."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(path)
        except PermissionError:  # Windows keeps a file that the other script, which was faster, reads by now
            if not path.exists() or path.read_bytes() != content:
                raise
        finally:
            if part.exists():
                part.unlink()
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror}): pass a folder that has room and that you may write to, or "
            f"copy the four MNIST files there by hand"
        )
