"""What a pipeline listens to: feature blocks over held-out speakers, and places in one clip."""

from ._block_importance import block_importance
from ._saliency import Saliency, saliency

__all__ = ["Saliency", "block_importance", "saliency"]
