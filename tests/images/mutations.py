"""Images of every kind that Pillow writes, and ways to damage their files. Everything follows from a seed."""
import io
import zlib

import numpy as np
from PIL import Image


def made_images(seed):
    """{name: bytes of a file}: waves with noise, so that many coefficients are not zero."""
    random = np.random.default_rng(seed)

    def image(height, width):
        y, x = np.mgrid[0:height, 0:width]
        waves = [np.sin(x / (5 + 3 * c) + c) * np.cos(y / (9 - 2 * c)) for c in range(3)]
        values = 128 + 90 * np.stack(waves, 2) + random.normal(0, 12, (height, width, 3))
        return Image.fromarray(np.clip(values, 0, 255).astype("u1"))

    files = {}

    def add(name, image, **options):
        stream = io.BytesIO()
        image.save(stream, **options)
        files[name] = stream.getvalue()

    for name, height, width, options in (
        ("420", 96, 120, {"subsampling": 2}),
        ("422", 61, 83, {"subsampling": 1}),
        ("444", 70, 50, {"subsampling": 0, "quality": 90}),
        ("optimized", 64, 64, {"optimize": True, "quality": 40}),
        ("progressive", 96, 80, {"progressive": True}),
        ("progressive_444", 53, 77, {"progressive": True, "subsampling": 0, "quality": 95}),
        ("dpi", 40, 200, {"dpi": (72, 72), "comment": b"a comment"}),
    ):
        add(f"{name}.jpg", image(height, width), format="JPEG", **options)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "somebody"
    add("exif.jpg", image(48, 64), format="JPEG", exif=exif, icc_profile=bytes(range(256)) * 2)
    add("grey.jpg", image(90, 70).convert("L"), format="JPEG")
    add("progressive_grey.jpg", image(64, 99).convert("L"), format="JPEG", progressive=True)
    add("cmyk.jpg", image(56, 60).convert("CMYK"), format="JPEG")
    add("progressive_cmyk.jpg", image(40, 60).convert("CMYK"), format="JPEG", progressive=True)
    for i in range(3):  # more than 64 KiB, which Pillow reads at a time
        add(f"large_{i}.jpg", image(330, 400 + i), format="JPEG", quality=97, subsampling=i)
    add("rgb.png", image(60, 50), format="PNG")
    add("grey.png", image(50, 40).convert("L"), format="PNG")
    add("palette.png", image(64, 48).quantize(200), format="PNG", dpi=(72, 72))
    add("few_colours.png", image(64, 48).quantize(11), format="PNG")
    add("bilevel.png", image(64, 99).convert("1"), format="PNG")
    translucent = image(33, 44)
    translucent.putalpha(translucent.getchannel(1))
    add("rgba.png", translucent, format="PNG")
    add("grey_alpha.png", translucent.convert("LA"), format="PNG")
    return files


def lost_ends(data):
    """A JPEG without the marker that ends it, and with zeros or text in its place."""
    return {"no_end": data[:-2], "zeros_for_end": data[:-2] + bytes(100), "text_for_end": data[:-2] + b"404 not found"}


class Mutations:
    """Damages files, each in a way that `random` (random.Random) draws."""

    def __init__(self, random):
        self.random = random
        both = [self.flip_bits, self.flip_bytes, self.flip_header, self.delete, self.insert, self.cut_off,
                self.overwrite_with_zeros, self.overwrite_with_text, self.append, self.move]
        of_jpeg = [self.damage_marker, self.plant_marker, self.drop_segment, self.repeat_segment, self.lose_end,
                   self.lose_end, self.fill_before_marker, self.junk_before_marker, self.damage_segment]
        of_png = [self.damage_chunk, self.damage_chunk, self.drop_chunk, self.cut_off]
        self.ways = {"jpg": both + of_jpeg, "png": both + of_png}

    def mutate(self, kind, data):
        """Gives (name of the mutation, bytes)."""
        way = self.random.choice(self.ways[kind])
        return way.__name__, bytes(way(bytearray(data)))

    def place(self, data, first=2):
        return self.random.randrange(first, len(data))

    def length(self):
        return int(2 ** self.random.uniform(0, 9))

    def flip_bits(self, data):
        for _ in range(self.random.choice((1, 1, 1, 2, 5))):
            data[self.place(data)] ^= 1 << self.random.randrange(8)
        return data

    def flip_bytes(self, data):
        for _ in range(self.random.choice((1, 1, 2, 4))):
            data[self.place(data)] = self.random.randrange(256)
        return data

    def flip_header(self, data):
        data[self.random.randrange(min(700, len(data)))] = self.random.randrange(256)
        return data

    def delete(self, data):
        at = self.place(data)
        del data[at : at + self.length()]
        return data

    def insert(self, data):
        at = self.place(data)
        data[at:at] = self.random.randbytes(self.length())
        return data

    def cut_off(self, data):
        near_end = self.random.random() < 0.3
        del data[len(data) - self.random.randrange(1, 40) if near_end else self.place(data) :]
        return data

    def overwrite(self, data, with_what):
        at = self.place(data)
        end = min(len(data), at + self.length())
        data[at:end] = with_what[: end - at]
        return data

    def overwrite_with_zeros(self, data):
        return self.overwrite(data, bytes(1024))

    def overwrite_with_text(self, data):
        return self.overwrite(data, b"<html>404 not found</html>\r\n" * 40)

    def append(self, data):
        return data + self.random.randbytes(self.length())

    def move(self, data):
        """A block of the file somewhere else, as from a damaged file system."""
        size = self.random.choice((64, 512, 4096))
        here, there = self.place(data), self.place(data)
        end = min(len(data), here + size, len(data) - max(0, there - here))
        data[here:end] = (data[there : there + end - here] + bytes(size))[: end - here]
        return data

    # JPEG: markers, and what lies between them.

    def markers(self, data):
        """Where they are, those within scans too."""
        return [i for i in range(2, len(data) - 1) if data[i] == 0xFF and data[i + 1] not in (0, 0xFF)]

    def segments(self, data):
        """(begin, end) of those before the first scan."""
        found = []
        at = 2
        while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
            end = at + 2 + data[at + 2] * 256 + data[at + 3]
            found.append((at, end))
            at = end
        return found

    def damage_marker(self, data):
        data[self.random.choice(self.markers(data)) + 1] = self.random.randrange(256)
        return data

    def plant_marker(self, data):
        """Among the coefficients."""
        scans = [i for i in self.markers(data) if data[i + 1] == 0xDA]
        at = self.random.randrange(min(self.random.choice(scans) + 14, len(data) - 3), len(data) - 2)
        data[at : at + 2] = bytes((0xFF, self.random.randrange(256)))
        return data

    def drop_segment(self, data):
        begin, end = self.random.choice(self.segments(data))
        del data[begin:end]
        return data

    def repeat_segment(self, data):
        begin, end = self.random.choice(self.segments(data))
        data[end:end] = data[begin:end]
        return data

    def damage_segment(self, data):
        begin, end = self.random.choice(self.segments(data))
        data[self.random.randrange(begin, min(begin + 20, end))] = self.random.randrange(256)
        return data

    def lose_end(self, data):
        """The marker that ends the file: missing, or zeros or text in its place, and perhaps of the last bytes too."""
        del data[len(data) - self.random.choice((1, 2, 2, 2, 2, 3, 4)) :]
        what = self.random.choice((b"", bytes(2), bytes(100), b"ab", b"\r\n\r\n", b"\xff", self.random.randbytes(30)))
        return data + what

    def fill_before_marker(self, data):
        at = self.random.choice(self.markers(data))
        data[at:at] = b"\xff" * self.random.choice((1, 1, 2, 7))
        return data

    def junk_before_marker(self, data):
        at = self.random.choice(self.markers(data))
        data[at:at] = self.random.randbytes(self.random.choice((1, 2, 5)))
        return data

    # PNG: chunks.

    def chunks(self, data):
        found = []
        at = 8
        while at + 12 <= len(data):
            end = at + 12 + int.from_bytes(data[at : at + 4], "big")
            found.append((at, end))
            at = end
        return found

    def damage_chunk(self, data):
        begin, end = self.random.choice(self.chunks(data))
        data[self.random.randrange(begin, min(end, len(data)))] = self.random.randrange(256)
        return data

    def drop_chunk(self, data):
        begin, end = self.random.choice(self.chunks(data))
        del data[begin:end]
        return data


def png_damage(data):
    """What shows that the pixels of a PNG that Pillow reads are not those that were written, although it does not look:
    a wrong or missing checksum of theirs, or colours without their palette. None if nothing does."""
    at = 8
    kinds = []
    stream = zlib.decompressobj()
    while at + 8 <= len(data) and not stream.eof:
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if b"IDAT" in kinds and kind != b"IDAT":
            break
        kinds.append(kind)
        if kind == b"IHDR" and data[at + 17] == 3:
            kinds.append(b"indexed")
        if kind == b"IDAT":
            if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
                return "the checksum of its pixels is wrong"
            stream.decompress(data[at + 8 : end - 4])
        at = end
    if not stream.eof:
        return "the stream of its pixels has no end"
    return "it has no palette" if b"indexed" in kinds and b"PLTE" not in kinds else None
