from ._live_timeline import LiveTimeline as LiveTimeline
from ._rows import TimelineRow as TimelineRow
from ._table import predict_table as predict_table
from ._timeline import predict_timeline as predict_timeline
from ._timeline_formats import segments as segments
from ._timeline_formats import to_srt as to_srt
from ._timeline_formats import to_textgrid as to_textgrid
from ._training_audio import TrainingAudio as TrainingAudio
