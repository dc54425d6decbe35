"""A part near the end of a recording of one hour, against decoding all of it.

    python benchmarks/segments.py

Writes an hour of speech-like noise as WebM (Opus) and M4A (AAC, with the encoder's noise
substitution and without). Parts must have the samples of the whole recording. One core.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import _one_thread  # noqa: F401
import av
import numpy as np

from skser import inspect_audio, read_audio

SR, SECONDS = 48000, 3600
CODINGS = {
    "WebM, Opus": ("webm", "libopus", {}),
    "M4A, AAC without noise": ("mp4", "aac", {"aac_pns": "0"}),
    "M4A, AAC with noise": ("mp4", "aac", {}),
}


def write(path: Path, format: str, codec: str, options: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec, rate=SR, layout="mono", options=options)
        size = stream.codec_context.frame_size or 960
        resampler = av.AudioResampler(stream.codec_context.format, "mono", SR, frame_size=size)
        for second in range(SECONDS):
            level = np.repeat(rng.uniform(0, 0.3, 10), SR // 10)
            samples = (rng.normal(size=SR) * level).clip(-1, 1).astype("f4")
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis], "flt", "mono")
            frame.sample_rate, frame.pts = SR, second * SR
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def timed(function, *arguments, **options) -> tuple[float, object]:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    result = function(*arguments, **options)
    return time.perf_counter() - started, result


def main() -> None:
    print("| | whole | `inspect_audio` | part | ratio |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (format, codec, options) in CODINGS.items():
            path = Path(folder, f"hour.{format}")
            write(path, format, codec, options)
            whole_time, (whole, sr) = timed(read_audio, path, None)
            inspect_time, info = timed(inspect_audio, path)
            assert info.n_samples == len(whole)
            times = []
            for offset in (3500, 3540, 3580):
                elapsed, (part, _) = timed(read_audio, path, None, offset=offset, duration=3)
                np.testing.assert_array_equal(part, whole[offset * sr : (offset + 3) * sr])
                times.append(elapsed)
            part_time = float(np.median(times))
            columns = f"{whole_time:.1f} | {inspect_time:.1f} | {part_time:.3f}"
            print(f"| {name} | {columns} | {whole_time / part_time:.0f} |", flush=True)


if __name__ == "__main__":
    main()
