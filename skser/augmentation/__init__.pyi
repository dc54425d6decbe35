from ._augmenter import Augmenter as Augmenter
from ._transforms import add_noise as add_noise
from ._transforms import change_speed as change_speed
from ._transforms import shift_pitch as shift_pitch
from ._transforms import shift_time as shift_time
from ._transforms import stretch_time as stretch_time
