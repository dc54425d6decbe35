"""Model files: a fitted pipeline as plain data, in one file that is safe to open."""

import lazy_loader as _lazy

# Lazy: loading a model imports less than exporting one.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
