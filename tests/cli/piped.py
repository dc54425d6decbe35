"""Write a recording to standard output, which is a pipe, as FFmpeg does: piped.py FORMAT CODEC."""

import sys

from tests.audio.samples import write_container


class Pipe:
    """Standard output without its position, which a pipe lacks."""

    def write(self, data):
        sys.stdout.buffer.write(data)
        return len(data)


if __name__ == "__main__":
    sr = 48000 if sys.argv[2] == "libopus" else 16000
    write_container(Pipe(), *sys.argv[1:3], sr=sr, seconds=2.0)
