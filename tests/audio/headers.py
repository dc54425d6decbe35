"""Hypothesis strategies: files with a header of the right form and any values in it."""

import struct
from functools import cache

from hypothesis import strategies as st

from .mutations import EXTREMES, with_checksums

rest = st.binary(max_size=400)


@cache
def number(bits):
    """An unsigned number, as often an extreme one as any."""
    some = sorted({value & (2**bits - 1) for value in EXTREMES})
    return st.sampled_from(some) | st.integers(0, 2**bits - 1)


def mostly(value, bits=32):
    """A number as it should be, now and then any."""
    return st.integers(0, 9).flatmap(lambda i: number(bits) if i == 9 else st.just(value))


@st.composite
def wave(draw):
    tag = draw(st.sampled_from([1, 1, 1, 2, 3, 6, 7, 0x11, 0x31, 0x55, 0xFFFE]))
    width = draw(st.sampled_from([4, 8, 16, 24, 32, 64]))
    channels = draw(st.integers(1, 8))
    form = struct.pack(
        "<HHI", draw(mostly(tag, 16)), draw(mostly(channels, 16)), draw(mostly(16000))
    )
    align = channels * width // 8
    form += struct.pack(
        "<IHH", draw(mostly(16000 * align)), draw(mostly(align, 16)), draw(mostly(width, 16))
    )
    form += b"" if tag == 1 else draw(st.binary(max_size=24))
    samples = draw(rest)
    chunks = [(b"fmt ", form), *draw(st.lists(_chunk, max_size=2)), (b"data", samples)]
    body = b"".join(
        kind + struct.pack("<I", draw(mostly(len(content)))) + content for kind, content in chunks
    )
    magic = draw(st.sampled_from([b"RIFF", b"RIFF", b"RF64", b"RIFX"]))
    return magic + struct.pack("<I", draw(mostly(len(body) + 4))) + b"WAVE" + body


_chunk = st.tuples(
    st.sampled_from([b"fact", b"LIST", b"ds64", b"PEAK", b"cue ", b"smpl", b"bext", b"junk"]),
    st.binary(max_size=60),
)


@st.composite
def flac(draw):
    blocks = struct.pack(">HH", draw(mostly(4096, 16)), draw(mostly(4096, 16)))
    frames = draw(mostly(0, 24)).to_bytes(3, "big") + draw(mostly(0, 24)).to_bytes(3, "big")
    sr, channels, bits = draw(mostly(16000, 20)), draw(st.integers(0, 7)), draw(mostly(15, 5))
    packed = sr << 44 | channels << 41 | bits << 36 | draw(number(36))
    info = blocks + frames + packed.to_bytes(8, "big") + bytes(16)
    head = b"\x80" + draw(mostly(len(info), 24)).to_bytes(3, "big")
    frame = draw(st.sampled_from([b"", b"\xff\xf8", b"\xff\xf8\x69\x08\x00", b"\xff\xf9"]))
    return b"fLaC" + head + info + frame + draw(rest)


@st.composite
def ogg(draw):
    vorbis = b"\x01vorbis" + struct.pack(
        "<IBIIIIBB",
        draw(mostly(0)),
        draw(mostly(1, 8)),
        *(draw(mostly(16000)) for _ in range(4)),
        draw(mostly(0xB8, 8)),
        1,
    )
    opus = b"OpusHead" + struct.pack(
        "<BBHIHB",
        draw(mostly(1, 8)),
        draw(mostly(1, 8)),
        draw(number(16)),
        draw(mostly(48000)),
        draw(number(16)),
        draw(mostly(0, 8)),
    )
    first = draw(st.sampled_from([vorbis, opus, b"\x7fFLAC\x01\x00", b"Speex   "]))
    tags = first[:4] + b"Tags" + bytes(8) if first is opus else b"\x03vorbis" + bytes(8) + b"\x01"
    packets = [first, tags, *draw(st.lists(st.binary(max_size=250), max_size=4))]
    pages = [
        b"OggS\x00"
        + bytes([2 if i == 0 else draw(st.sampled_from([0, 1, 4]))])
        + struct.pack("<QIIIBB", draw(number(64)), 1, i, 0, 1, len(packet))
        + packet
        for i, packet in enumerate(packets)
    ]
    return with_checksums(b"".join(pages))


@st.composite
def mp3(draw):
    header = struct.pack(">I", 0xFFE00000 | draw(mostly(0x1B9064, 21)))
    counts = struct.pack(">III", draw(number(32)), draw(number(32)), draw(number(32)))
    inside = draw(
        st.sampled_from([b"", bytes(32) + b"Xing" + counts, bytes(32) + b"VBRI" + counts])
    )
    frame = (header + inside).ljust(draw(mostly(417, 9)), b"\x00")
    tag = b"ID3\x04\x00" + draw(st.binary(min_size=5, max_size=9))
    return draw(st.just(b"") | st.just(tag)) + frame * draw(st.integers(1, 6)) + draw(rest)


@st.composite
def aiff(draw):
    rate = struct.pack(">HQ", draw(mostly(0x400C, 16)), draw(mostly(0xFA00000000000000, 64)))
    channels, width = draw(st.integers(1, 4)), draw(st.sampled_from([8, 16, 24, 32]))
    samples = draw(rest)
    n_frames = len(samples) * 8 // width // channels
    common = struct.pack(
        ">HIH", draw(mostly(channels, 16)), draw(mostly(n_frames)), draw(mostly(width, 16))
    )
    common += rate
    common += draw(st.sampled_from([b"", b"NONE", b"fl32", b"fl64", b"ima4", b"sowt"]))
    sound = struct.pack(">II", draw(mostly(0)), draw(mostly(0))) + samples
    body = b"".join(
        kind + struct.pack(">I", draw(mostly(len(content)))) + content
        for kind, content in ((b"COMM", common), (b"SSND", sound))
    )
    magic = draw(st.sampled_from([b"AIFF", b"AIFC"]))
    return b"FORM" + struct.pack(">I", draw(mostly(len(body) + 4))) + magic + body


@st.composite
def mp4(draw):
    def box(kind, *parts):
        content = b"".join(parts)
        return struct.pack(">I", draw(mostly(len(content) + 8))) + kind + content

    def words(*known, n):
        """A box's version and flags, and numbers, the first of which are known."""
        values = [*known, *(draw(number(32)) for _ in range(n))]
        return struct.pack(f">I{len(values)}I", 0, *values)

    coding = draw(st.sampled_from([b"mp4a", b"sowt", b"twos", b"alac", b"fLaC", b"Opus", b"none"]))
    entry = bytes(6) + struct.pack(
        ">HQHHHHI", 1, 0, *(draw(number(16)) for _ in range(4)), 16000 << 16
    )
    tables = [box(b"stsd", words(1, n=0), box(coding, entry, draw(st.binary(max_size=40))))]
    tables += [box(kind, words(1, n=3)) for kind in (b"stts", b"stsc", b"stsz", b"stco")]
    media = box(
        b"mdia",
        box(b"mdhd", words(0, 0, draw(mostly(16000)), n=2)),
        box(b"hdlr", words(0, n=0), b"soun", bytes(13)),
        box(b"minf", box(b"smhd", bytes(8)), box(b"stbl", *tables)),
    )
    track = box(b"trak", box(b"tkhd", words(0, 0, 1, n=18)), media)
    movie = box(b"moov", box(b"mvhd", words(0, 0, 1000, n=21)), track)
    return box(b"ftyp", b"M4A \x00\x00\x00\x00") + movie + box(b"mdat", draw(rest))


HEADERS = {"wav": wave(), "flac": flac(), "ogg": ogg(), "mp3": mp3(), "aiff": aiff(), "mp4": mp4()}
