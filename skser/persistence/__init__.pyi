from .exporting import export as export
from .info import ModelInfo as ModelInfo
from .info import load_card as load_card
from .info import load_info as load_info
from .saving import load as load
from .saving import save as save
