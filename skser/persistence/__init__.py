"""Model files: a fitted pipeline as plain data, in one file that is safe to open."""

import lazy_loader as _lazy

# Names are loaded when first used: loading a model needs less than exporting one.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
