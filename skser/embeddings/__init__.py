"""Pre-trained speech encoders as a step from clips to features."""

import lazy_loader as _lazy

# Names are loaded when first used, so that importing skser stays light.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
