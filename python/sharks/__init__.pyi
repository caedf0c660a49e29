# The public names and where they live, one a line. This is the only list: `__init__.py` imports from here when asked.
from .dataset.prepare import prepare as prepare
from .errors import AudioError as AudioError
from .errors import Error as Error
from .errors import Notice as Notice
from .errors import PackError as PackError
from .errors import ResourceError as ResourceError
from .errors import SpecError as SpecError
from .errors import UsageError as UsageError
from .features.mel import MelSpec as MelSpec
from .features.mel import mel as mel
from .importers import import_checkpoint as import_checkpoint
from .packs.pack import Pack as Pack
from .packs.pack import load as load
from .packs.pack import random_pack as random_pack
from .play.audio import Audio as Audio
from .play.extend import extend as extend
from .play.generate import generate as generate
from .play.generate import logits as logits
from .play.generate import stream as stream
from .projects.demo import demo as demo
from .projects.make import Playing as Playing
from .projects.make import make as make
from .proof.check import check as check
from .recipes.presets import preset as preset
from .recipes.presets import presets as presets
from .recipes.presets import recipe as recipe
from .songs import curate as curate
from .sound.health import health as health
from .spec import CodesSpec as CodesSpec
from .spec import SampleRNNSpec as SampleRNNSpec
from .spec import WaveNetSpec as WaveNetSpec
from .training import train as train

__version__: str
