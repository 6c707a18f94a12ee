"""Other people's weights as our models: read safely, recognised, rebuilt, proven, and written with a card."""

from pipelines.importing.choices import TheirOptions
from pipelines.importing.closeness import USUAL
from pipelines.importing.imported import Origin
from pipelines.importing.making import Form
from pipelines.importing.run import ImportSettings, Written, import_weights

__all__ = ["USUAL", "Form", "ImportSettings", "Origin", "TheirOptions", "Written", "import_weights"]
