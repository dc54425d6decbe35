from ._card import load_card as load_card
from ._export import export as export
from ._info import ModelInfo as ModelInfo
from ._info import load_info as load_info
from ._save_load import load as load
from ._save_load import save as save
