"""Predictions over HTTP; see :func:`create_app`. Needs the extra ``serve``."""

import lazy_loader as _lazy

# Names are loaded when first used, so that importing skser.serving does not need FastAPI.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
