"""Makes the files here that other programs would have made: `python3 make_io_files.py` in this folder (needs numpy, h5py)."""
import pickle

import h5py
import numpy

# Two pictures of CIFAR-10, written again by Python 3: pixel i of the first is i % 256, of the second 255 - i % 256.
ramp = (numpy.arange(3072) % 256).astype("u1")
pictures = numpy.stack([ramp, 255 - ramp])
for protocol in range(2, 6):
    batch = {b"data": pictures, "labels": [3, 7], "filenames": ["a.png", "ü.png"]}
    with open(f"cifar10-repickled/protocol{protocol}", "wb") as file:
        pickle.dump(batch, file, protocol=protocol)
with open("cifar10-repickled/columns", "wb") as file:
    pickle.dump({"data": numpy.asfortranarray(pictures), "labels": [3, 7]}, file, protocol=2)

# What h5py writes for the types of Python and numpy.
with h5py.File("h5py_types.h5", "w") as file:
    file.attrs["text"] = "grün"
    file.attrs["empty"] = ""
    file.attrs["bytes"] = numpy.bytes_("abc")
    file.attrs["texts"] = ["one", "zwei", ""]
    file.attrs["true"] = True
    file.attrs["false"] = numpy.bool_(False)
    file.attrs["whole"] = 7
    file.attrs["wide"] = numpy.uint8(200)
    file.attrs["real"] = numpy.float32(0.5)
    file.attrs["reals"] = [0.5, 1.5]
    file.attrs["wholes"] = numpy.array([[1, 2], [3, 4]], "i2")
    file.attrs["nothing"] = h5py.Empty("f8")
    file["strings"] = ["one", "grün", ""]
    file["fixed"] = numpy.array([b"one", b"three"])
    file["string"] = "alone"
    file["bools"] = numpy.array([True, False, True])
    file["half"] = numpy.array([0.5, -2.0], "f2")
    file["big_endian"] = numpy.arange(6, dtype=">i4").reshape(2, 3)
    file["negative"] = numpy.array([-1, 300], "i2")
    file["complex"] = numpy.array([1 + 2j])
    file["scalar"] = 2.5
    file.create_dataset("compressed", data=numpy.arange(1000).reshape(10, 100), compression="gzip", chunks=(3, 100))
    file.create_group("group/inner")
    file["broken_link"] = h5py.SoftLink("/nowhere")

# Kinds of PNG that pictures/ does not have, with what Pillow's convert("RGB") makes of them.
import io
import struct
import zlib

from PIL import Image

random = numpy.random.default_rng(1)


def wide_png(values, colour_type):
    """A PNG of 16 bits a channel, of [height, width, channels]; Pillow writes none of colours."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


with h5py.File("more_pictures.h5", "w") as file:

    def add_bytes(name, encoded, rgb=None):
        file[f"encoded/{name}"] = numpy.frombuffer(encoded, "u1")
        file[f"rgb/{name}"] = numpy.array(Image.open(io.BytesIO(encoded)).convert("RGB")) if rgb is None else rgb

    def add(name, image, **options):
        stream = io.BytesIO()
        image.save(stream, **options)
        add_bytes(name, stream.getvalue())

    colours = Image.fromarray(random.integers(0, 256, (9, 7, 3)).astype("u1"))
    add("transparent_palette", colours.quantize(8), format="PNG", transparency=3)
    add("four_colours", colours.quantize(4), format="PNG", bits=2)
    add("transparent_rgb", colours, format="PNG", transparency=(1, 2, 3))
    add("no_chroma_sampling", colours, format="JPEG", subsampling=1, restart_marker_rows=1)
    wide = random.integers(0, 1 << 16, (9, 7, 3)).astype("u2")
    add_bytes("wide_rgb", wide_png(wide, 2))
    add_bytes("wide_grey_alpha", wide_png(wide[:, :, :2], 4))
    # Pillow takes the upper byte of wide colours too, but clips wide grey, which leaves nothing but white.
    add_bytes("wide_grey", wide_png(wide[:, :, :1], 0), numpy.repeat(wide[:, :, :1] >> 8, 3, 2).astype("u1"))

# What Pillow makes of CMYK with halved chroma, and smaller pictures by its filter of three lobes.
random = numpy.random.default_rng(2)
with h5py.File("reduced_pictures.h5", "w") as file:
    noise = Image.fromarray(random.integers(0, 256, (47, 33, 3)).astype("u1"))
    file["original"] = numpy.array(noise)
    for width, height in ((32, 46), (10, 14), (33, 5), (4, 47), (1, 1)):
        file[f"lanczos/{height}x{width}"] = numpy.array(noise.resize((width, height), Image.LANCZOS))
    stream = io.BytesIO()
    noise.convert("CMYK").save(stream, "JPEG", subsampling="4:2:0")
    file["cmyk_420/encoded"] = numpy.frombuffer(stream.getvalue(), "u1")
    stream.seek(0)
    file["cmyk_420/rgb"] = numpy.array(Image.open(stream).convert("RGB"))

# JPEGs of kinds that Pillow does not write, by libjpeg-turbo's program (Debian: libjpeg-turbo-progs).
import pathlib
import subprocess

random = numpy.random.default_rng(5)
y, x = numpy.mgrid[0:53, 0:70]
waves = numpy.stack([numpy.sin(x / (5 + 3 * c) + c) * numpy.cos(y / (9 - 2 * c)) for c in range(3)], 2)
stream = io.BytesIO()
values = numpy.clip(128 + 90 * waves + random.normal(0, 9, waves.shape), 0, 255).astype("u1")
Image.fromarray(values).save(stream, "PPM")
scans = pathlib.Path("scans.txt")
scans.write_text("0;\n1;\n2;\n")
for name, options in {
    "restarts": "-restart 1",
    "restarts_in_blocks": "-restart 3B -sample 1x1",
    "progressive_restarts": "-progressive -restart 1",
    "arithmetic": "-arithmetic",
    "arithmetic_progressive": "-arithmetic -progressive",
    "one_scan_a_component": "-scans scans.txt",
    "sampled_4x1": "-sample 4x1",
    "sampled_1x2": "-sample 1x2",
    "untransformed_rgb": "-rgb",
    "two_byte_tables": "-quality 1",
}.items():
    command = ["cjpeg", "-quality", "60", *options.split()]
    encoded = subprocess.run(command, input=stream.getvalue(), capture_output=True, check=True).stdout
    pathlib.Path(f"more_jpegs/{name}.jpg").write_bytes(encoded)
scans.unlink()
