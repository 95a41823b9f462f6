"""The models that were used last."""

from __future__ import annotations

import threading
from collections import OrderedDict

import jupiter_sdk as sdk

from .checkpoint import read_model
from .kneser_ney import Model

_KEPT = 2  # the two that an evaluation compares


class Models:
    """Keeps models ready, by the digest of their artifact. One is read by one call at a time."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, artifact: sdk.Artifact | None) -> Model:
        """An artifact's model, read where it is not at hand."""
        if artifact is None or not artifact.path:
            raise sdk.StageError("there is no model: the generator's attribute model must name a trainer")
        key = artifact.digest or artifact.path
        with self._lock:
            model = self._models.get(key)
            if model is None:
                model = read_model(artifact.path)
                self._models[key] = model
            self._models.move_to_end(key)
            while len(self._models) > _KEPT:
                self._models.popitem(last=False)
            return model
