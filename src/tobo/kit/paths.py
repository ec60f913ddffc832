"""The container contract's folders: /opt/ml, or wherever TOBO_ML_ROOT says (SageMaker Developer Guide, "How SageMaker provides training information")."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MlPaths:
    """The /opt/ml tree of one job or replica."""

    root: Path

    @classmethod
    def from_environment(cls) -> "MlPaths":
        return cls(Path(os.environ.get("TOBO_ML_ROOT", "/opt/ml")))

    @property
    def code(self) -> Path:
        return self.root / "code"

    @property
    def input(self) -> Path:
        return self.root / "input"

    @property
    def config(self) -> Path:
        return self.input / "config"

    @property
    def hyperparameters(self) -> Path:
        return self.config / "hyperparameters.json"

    @property
    def input_data_config(self) -> Path:
        return self.config / "inputdataconfig.json"

    @property
    def resource_config(self) -> Path:
        return self.config / "resourceconfig.json"

    def channel(self, name: str) -> Path:
        return self.input / "data" / name

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def sealed(self) -> Path:
        """A model's archive that only its replica can open (inference/sealed.py)."""
        return self.root / "sealed" / "model.tar.gz.age"

    @property
    def models(self) -> Path:
        """Of a replica of several models."""
        return self.root / "models"

    def target_model(self, name: str) -> Path:
        """The folder of one of several models; its name may hold slashes."""
        return self.models / hashlib.sha256(name.encode()).hexdigest()[:32]

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def failure(self) -> Path:
        return self.output / "failure"

    @property
    def output_data(self) -> Path:
        return self.output / "data"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def metadata(self) -> Path:
        return self.root / "metadata"

    def make(self) -> None:
        """Creates the folders that a job finds on its first line."""
        for folder in (self.config, self.model, self.output_data, self.checkpoints, self.metadata):
            folder.mkdir(parents=True, exist_ok=True)
