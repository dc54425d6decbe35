"""skser: speech emotion recognition in one scikit-learn pipeline."""

import lazy_loader as _lazy

from ._version import __version__ as __version__

# Names are loaded when first used, so that importing skser costs neither TensorFlow nor numba.
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
