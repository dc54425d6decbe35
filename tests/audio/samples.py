"""Recordings that tests write: sound files, and containers made with PyAV."""

import io

import numpy as np
import soundfile

FORMATS = {
    "WAV/PCM_U8": "wav",
    "WAV/PCM_16": "wav",
    "WAV/PCM_24": "wav",
    "WAV/PCM_32": "wav",
    "WAV/FLOAT": "wav",
    "WAV/DOUBLE": "wav",
    "FLAC/PCM_16": "flac",
    "FLAC/PCM_24": "flac",
    "OGG/VORBIS": "ogg",
    "OGG/OPUS": "opus",
    "MP3/MPEG_LAYER_III": "mp3",
    "AIFF/PCM_16": "aiff",
}


def noise(n_samples, n_channels=1, seed=0):
    """Noise that no encoder can take for silence, shape (n_samples, n_channels)."""
    return np.random.default_rng(seed).normal(0, 0.2, (n_samples, n_channels)).clip(-1, 1)


def tone(frequency, sr, seconds, amplitude=0.5):
    times = np.arange(round(sr * seconds)) / sr
    return (amplitude * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def frequency_of(waveform, sr):
    """Frequency of the strongest partial in Hz, between the bins of the spectrum."""
    magnitude = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 4 * len(waveform)))
    return magnitude.argmax() * sr / (4 * len(waveform))


def encode(samples, sr=16000, format="WAV/PCM_16"):
    """A sound file as bytes."""
    kind, subtype = format.split("/")
    file = io.BytesIO()
    soundfile.write(file, samples, sr, format=kind, subtype=subtype)
    return file.getvalue()


def write_container(
    path,
    format,
    codec,
    *,
    sr=48000,
    layout="mono",
    video=None,
    seconds=1.0,
    frequency=440,
    samples=None,
    options=None,
):
    """Write a tone or samples with PyAV, beside a video track if ``video`` names its codec."""
    import av

    # Matroska would have random names for its tracks.
    with av.open(
        path, "w", format=format, options={"fflags": "+bitexact"} | (options or {})
    ) as container:
        picture = container.add_stream(video, rate=25) if video else None
        sound = container.add_stream(codec, rate=sr, layout=layout) if codec else None
        if picture:
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
            for _ in range(int(25 * seconds)):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        if sound:
            context = sound.codec_context
            n_channels = len(context.layout.channels)
            mono = tone(frequency, sr, seconds) if samples is None else samples
            samples = np.repeat(mono, n_channels)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(samples, format="flt", layout=layout)
            frame.sample_rate, frame.pts = sr, 0
            resampler = av.AudioResampler(
                context.format, layout, sr, frame_size=context.frame_size or None
            )
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(sound.encode(part))
            container.mux(sound.encode(None))
