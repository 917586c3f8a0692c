"""Networks as classifiers of arrays; the only part that needs the extra `deep` (PyTorch, skorch, safetensors)."""

from microexpr.core.lazy import lazy_names

__all__ = ["STSTNetClassifier"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "STSTNetClassifier": "microexpr.deep.ststnet",
    },
)
