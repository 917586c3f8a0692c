"""What the body does beside the face's motion."""

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from microexpr.classifiers.svm import linear_svm
from microexpr.features import PulseFeatures
from microexpr.pipelines.registry import method


@method(
    "pulse-svm",
    reference="no paper; P4's future work (Venneti et al.): micro-expressions combined with heart rate",
    needs=("pixels", "seconds", "colour"),
    tiny={"pulsefeatures__skin": "frame"},
    caution="nothing published supports that an emotion shows in a pulse over a few seconds: a signal beside others",
)
def pulse_svm(*, random_state: int | None = None) -> BaseEstimator:
    """Rate, variability, change, quality and amplitude of the pulse (POS), standardised, with a linear SVM.

    A second signal for score fusion, `fusion --set members=flow-rbf,pulse-svm`, where clips are long enough: 5 seconds
    in colour at a known frame rate. Nothing published supports that an emotion shows in a pulse over a second or a few;
    it is offered as a signal only, and alone it is no recognition of expressions. Clips that are cut closely to the
    face: `--set pulsefeatures__skin=frame`.
    """
    # C is 1 over the mean squared length of a standardised row of five.
    return make_pipeline(
        PulseFeatures(),
        StandardScaler(),
        linear_svm(C=0.2, class_weight="balanced", random_state=random_state),
    )
