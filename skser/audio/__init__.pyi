from ._clips import Clips as Clips
from ._decoding import read_audio as read_audio
from ._info import AudioInfo as AudioInfo
from ._inspection import inspect_audio as inspect_audio
from ._loader import AudioLoader as AudioLoader
from ._recordings import Segment as Segment
