"""Features of speech: blocks, the spectra that they share, and the extractor that joins them."""

import lazy_loader as _lazy

# Names are loaded when first used: blocks need no scikit-learn, and the extractor does.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
