"""Recordings of every format, and damage done to them: the same for the same number, always."""

import io
import struct

import numpy as np
import soundfile

from .samples import encode, noise, write_container

SOUNDS = {
    "pcm16.wav": "WAV/PCM_16",
    "pcm24.wav": "WAV/PCM_24",
    "float.wav": "WAV/FLOAT",
    "double.wav": "WAV/DOUBLE",
    "adpcm.wav": "WAV/IMA_ADPCM",
    "ms.wav": "WAV/MS_ADPCM",
    "ulaw.wav": "WAV/ULAW",
    "a.rf64": "RF64/PCM_16",
    "wavex.wav": "WAVEX/PCM_16",
    "a.w64": "W64/PCM_16",
    "16.flac": "FLAC/PCM_16",
    "24.flac": "FLAC/PCM_24",
    "vorbis.ogg": "OGG/VORBIS",
    "a.opus": "OGG/OPUS",
    "a.mp3": "MP3/MPEG_LAYER_III",
    "pcm16.aiff": "AIFF/PCM_16",
    "float.aiff": "AIFF/FLOAT",
    "a.au": "AU/PCM_16",
    "float.caf": "CAF/FLOAT",
}
CONTAINERS = {
    "a.m4a": ("mp4", "aac", {"sr": 16000}),
    "film.mp4": ("mp4", "aac", {"sr": 22050, "layout": "stereo", "video": "mpeg4"}),
    "a.mov": ("mov", "pcm_s16le", {"sr": 16000}),
    "a.webm": ("webm", "libopus", {}),
    "a.mkv": ("matroska", "flac", {"sr": 16000}),
    "a.aac": ("adts", "aac", {"sr": 16000}),
}
STREAMED_CONTAINERS = {
    "mp3.wav": ("wav", "libmp3lame"),
    "a.mp2": ("mp2", "mp2"),
    "a.m4a": ("mp4", "aac"),
    "mp3.mp4": ("mp4", "libmp3lame"),
    "a.avi": ("avi", "pcm_s16le"),
    "a.ts": ("mpegts", "aac"),
    "a.wv": ("wv", "wavpack"),
    "flac.ogg": ("ogg", "flac"),
    "aac.flv": ("flv", "aac"),
    "mp3.mkv": ("matroska", "libmp3lame"),
    "alac.mov": ("mov", "alac"),
}
EXTREMES = (0, 1, 0x7FFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x00010000, 0x40000000)


def make_seeds(folder):
    """Half a second of noise or a tone in every format, as bytes by name."""
    seeds = {}
    for i, (name, format) in enumerate(SOUNDS.items()):
        sr = 16000 if i % 3 else 48000
        channels = 1 + i % 2
        content = encode(0.3 * noise(sr // 2, channels, seed=i), sr, format)
        seeds[name] = _the_same_always(content)
    for name, (format, codec, options) in CONTAINERS.items():
        write_container(str(folder / name), format, codec, seconds=0.5, **options)
        seeds[name] = (folder / name).read_bytes()
    return seeds


def make_streamed_seeds(folder):
    """Files whose header has no length, or whose coding is rare, as bytes by name."""
    from skser.audio._mpeg import find_frames

    seeds = {}
    for mode, sr in (("CONSTANT", 44100), ("VARIABLE", 16000)):
        file = io.BytesIO()
        soundfile.write(file, 0.3 * noise(sr // 2), sr, format="MP3", bitrate_mode=mode)
        content = file.getvalue()
        bare = b"".join(content[start:stop] for start, stop in find_frames(content).spans)
        seeds[f"{mode}.mp3"] = content
        seeds[f"{mode}-bare.mp3"] = bare
        seeds[f"{mode}-joined.mp3"] = content + content
        seeds[f"{mode}-joined-bare.mp3"] = bare + bare
    seeds["joined-rates.mp3"] = seeds["CONSTANT.mp3"] + seeds["VARIABLE.mp3"]
    for name in ("GSM610", "G721_32", "NMS_ADPCM_24"):
        path = folder / f"{name}.wav"
        soundfile.write(path, 0.3 * noise(4000), 8000, subtype=name)
        seeds[path.name] = path.read_bytes()
    for name, (format, codec) in STREAMED_CONTAINERS.items():
        write_container(str(folder / name), format, codec, sr=16000, seconds=0.5)
        seeds[name] = (folder / name).read_bytes()
    unclosed = bytearray(encode(0.3 * noise(8000)))
    unclosed[4:8] = unclosed[40:44] = bytes(4)
    seeds["unclosed.wav"] = bytes(unclosed)
    flac = bytearray(encode(0.3 * noise(8000), format="FLAC/PCM_16"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)  # the number of samples
    seeds["streamed.flac"] = bytes(flac)
    return seeds


def _the_same_always(content):
    """Without the time of writing and the random name of a stream."""
    if content[:4] == b"OggS":
        return with_checksums(content, serial=1)
    head, peak, tail = content.partition(b"PEAK")
    return head + peak + tail[:8] + bytes(4) + tail[12:] if peak and len(head) < 100 else content


def mutate(number, seeds):
    """Name and content of the file of that number: a seed, damaged in one to three ways."""
    rng = np.random.default_rng([2718, number])
    names = list(seeds)
    name = names[number % len(names)]
    content = seeds[name]
    done = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        damage = MUTATIONS[rng.integers(len(MUTATIONS))]
        if damage is splice:
            content = splice(content, rng, seeds[names[rng.integers(len(names))]])
        else:
            content = damage(content, rng)
        done.append(damage.__name__)
    if content[:4] == b"OggS" and rng.random() < 0.7:  # else the decoder only finds a bad checksum
        content = with_checksums(content)
    return f"{number:05}-{'-'.join(done)}-{name}", content


# --- damage ---------------------------------------------------------------------------------


def _place(content, rng, header=False):
    """A place, as often near the beginning as anywhere."""
    end = min(len(content), 256) if header or rng.random() < 0.5 else len(content)
    return int(rng.integers(end + 1))


def _block(content, rng):
    """Where a block of up to half of the content begins and ends."""
    start = _place(content, rng)
    length = int(2 ** rng.uniform(0, np.log2(len(content) / 2 + 2)))
    return start, min(start + length, len(content))


def flip_bits(content, rng):
    damaged = bytearray(content)
    for _ in range(int(2 ** rng.uniform(0, 5))):
        if damaged:
            damaged[_place(content, rng) % len(damaged)] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def change_header(content, rng):
    damaged = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        if damaged:
            damaged[_place(content, rng, header=True) % len(damaged)] = int(rng.integers(256))
    return bytes(damaged)


def change_size(content, rng):
    """Put an extreme number in place of a number of 2, 4 or 8 bytes."""
    damaged = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        place = _place(content, rng, header=rng.random() < 0.8) // 2 * 2
        value = EXTREMES[rng.integers(len(EXTREMES))]
        code = ["<I", ">I", "<H", ">H", "<Q", ">Q"][rng.choice(6, p=[0.3, 0.3, 0.1, 0.1, 0.1, 0.1])]
        size = struct.calcsize(code)
        damaged[place : place + size] = struct.pack(code, value & (256**size - 1))
    return bytes(damaged)


def cut(content, rng):
    return content[: _place(content, rng)]


def insert(content, rng):
    place = _place(content, rng)
    return content[:place] + rng.bytes(int(2 ** rng.uniform(0, 12))) + content[place:]


def delete(content, rng):
    start, stop = _block(content, rng)
    return content[:start] + content[stop:]


def duplicate(content, rng):
    start, stop = _block(content, rng)
    return content[:stop] + content[start:stop] * int(rng.integers(1, 4)) + content[stop:]


def zero(content, rng):
    start, stop = _block(content, rng)
    return content[:start] + bytes(stop - start) + content[stop:]


def scramble(content, rng):
    start, stop = _block(content, rng)
    return content[:start] + rng.bytes(stop - start) + content[stop:]


def garbage(content, rng):
    """Nothing but the beginning is as it was."""
    return content[: int(rng.choice([4, 8, 12, 16, 40, 64]))] + rng.bytes(int(rng.integers(4000)))


def swap(content, rng):
    (a, b), (c, d) = sorted([_block(content, rng), _block(content, rng)])
    b, d = min(b, c), max(b, d)
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def splice(content, rng, other):
    return content[: _place(content, rng)] + other[_place(other, rng) :]


MUTATIONS = (
    flip_bits,
    change_header,
    change_size,
    change_size,
    cut,
    insert,
    delete,
    duplicate,
    zero,
    scramble,
    garbage,
    swap,
    splice,
)


# --- Ogg ------------------------------------------------------------------------------------


def _ogg_table():
    table = []
    for i in range(256):
        value = i << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return table


_OGG_TABLE = _ogg_table()


def _ogg_checksum(page):
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[value >> 24 ^ byte]
    return value


def with_checksums(content, serial=None):
    """An Ogg file whose pages have the checksums that they should have."""
    damaged = bytearray(content)
    place = damaged.find(b"OggS")
    while 0 <= place <= len(damaged) - 27:
        n_segments = damaged[place + 26]
        stop = place + 27 + n_segments + sum(damaged[place + 27 : place + 27 + n_segments])
        if stop > len(damaged):
            break
        if serial is not None:
            damaged[place + 14 : place + 18] = struct.pack("<I", serial)
        damaged[place + 22 : place + 26] = bytes(4)
        damaged[place + 22 : place + 26] = struct.pack("<I", _ogg_checksum(damaged[place:stop]))
        place = damaged.find(b"OggS", place + 27)
    return bytes(damaged)
