"""The network that was trained on synthetic motion alone: as it is, and fine-tuned inside each fold."""

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from microexpr.classifiers.zeroshot import ZeroShotClassifier
from microexpr.features import FlowMap
from microexpr.pipelines.methods.deep import network
from microexpr.pipelines.registry import method

_FLOW = {"flowmap__method": "dis"}


@method(
    "zero-shot",
    reference="no paper; trained on drawn motion (microexpr.data.make_motion_maps), on no clip of any person",
    needs=("motion",),
    tiny=_FLOW,
    caution="its figures on CASME II and SMIC were looked at while its synthetic motion was designed: see "
    "benchmarks/zero_shot.md",
)
def zero_shot(*, random_state: int | None = None) -> BaseEstimator:
    """28x28 onset-apex flow and strain, named by a network that was trained on synthetic motion alone.

    It learns nothing from the clips, so no fold can leak; it answers for every clip. Labels must be negative, positive
    and surprise. It is what `microexpr predict` and `microexpr watch` use where no model is named.
    """
    return make_pipeline(FlowMap(size=28), ZeroShotClassifier())


@method(
    "pretrained-finetune",
    reference="no paper; the network of zero-shot",
    needs=("motion",),
    tiny={**_FLOW, "motionnetclassifier__epochs": 1},
)
def pretrained_finetune(*, random_state: int | None = None) -> BaseEstimator:
    """The network of zero-shot, fine-tuned on the training subjects of each fold.

    Adam, learning rate 1e-3, 30 epochs, the last one kept. From random weights and with twice the epochs, for
    comparison: `--set motionnetclassifier__start=random --set motionnetclassifier__epochs=60`.
    """
    return make_pipeline(FlowMap(size=28), network("MotionNetClassifier", random_state=random_state))
