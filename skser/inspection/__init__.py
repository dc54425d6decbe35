"""Feature importance: of blocks over new speakers, and of times and features in a recording."""

from ._block_importance import block_importance
from ._saliency import Saliency, saliency

__all__ = ["Saliency", "block_importance", "saliency"]
