from ._app import create_app as create_app
from ._limits import Limits as Limits
