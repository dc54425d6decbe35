"""A stand-in for sounddevice: its interface, and a stream that records given samples at once."""

from types import SimpleNamespace


class PortAudioError(Exception):
    pass


class SoundDevice:
    """What skser uses of the module; ``devices`` has (name, n_channels, sr), the first default."""

    PortAudioError = PortAudioError

    def __init__(self, samples=(), devices=(("Mic", 2, 44100),), *, refuses=(), at_end=None):
        self.samples = samples
        self.devices = devices
        self.refuses = refuses  # numbers of channels
        self.at_end = at_end  # called when all is recorded
        self.opened = []
        self.overflows = False

    def query_hostapis(self):
        return [{"name": "ALSA"}]

    def query_devices(self, kind=None):
        infos = [
            {
                "index": index,
                "name": name,
                "hostapi": 0,
                "max_input_channels": n_channels,
                "default_samplerate": float(sr),
            }
            for index, (name, n_channels, sr) in enumerate(self.devices)
        ]
        if kind is None:
            return infos
        if not infos or not infos[0]["max_input_channels"]:
            raise PortAudioError("Error querying device -1")
        return infos[0]

    def InputStream(self, **options):
        if options["channels"] in self.refuses:
            raise PortAudioError("Error opening InputStream:\nInvalid number of channels")
        stream = Stream(self, options)
        self.opened.append(stream)
        return stream


class Stream:
    """Gives all samples to the callback when it starts, in an array that it uses again."""

    def __init__(self, module, options):
        self.module, self.options = module, options
        self.active, self.closed = False, False

    def start(self):
        size, samples = self.options["blocksize"], self.module.samples
        status = SimpleNamespace(input_overflow=self.module.overflows)
        for start in range(0, len(samples), size):
            block = samples[start : start + size].copy()
            self.options["callback"](block, len(block), None, status)
            block[:] = 9
        if self.module.at_end is not None:
            self.module.at_end()

    def stop(self):
        self.active = False

    def close(self):
        self.closed = True
