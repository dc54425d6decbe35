"""Write a recording to standard output, which is a pipe, as FFmpeg does: piped.py FORMAT CODEC."""

import sys

from tests.audio.samples import write_container


class Pipe:
    """A stream without its position, which a pipe lacks."""

    def __init__(self, stream):
        self._stream = stream

    def write(self, data):
        self._stream.write(data)
        return len(data)


def write_to_pipe(stream, format, codec):
    """Two seconds of a tone."""
    sr = 48000 if codec == "libopus" else 16000
    write_container(Pipe(stream), format, codec, sr=sr, seconds=2.0)


if __name__ == "__main__":
    write_to_pipe(sys.stdout.buffer, *sys.argv[1:3])
