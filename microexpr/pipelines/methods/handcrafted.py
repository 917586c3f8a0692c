"""Handcrafted features with classical classifiers."""

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from microexpr.classifiers.svm import linear_svm
from microexpr.features.flowmap import FlowMap
from microexpr.features.lbptop import LBPTOP
from microexpr.pipelines.registry import method
from microexpr.video.tim import TIM


@method(
    "flow-svm",
    reference="no paper; the honest bar for networks on the same 28x28 maps",
    needs=("motion",),
    tiny={"flowmap__method": "dis"},
)
def flow_svm(*, random_state: int | None = None) -> BaseEstimator:
    """Raw 28x28 onset-apex flow and strain, standardised, with a linear SVM.

    C = 1e-3 and balanced class weights, fixed beforehand and not tuned on any data set. No network counts as
    working until it is shown beside this.
    """
    return make_pipeline(
        FlowMap(size=28),
        StandardScaler(),
        linear_svm(C=1e-3, class_weight="balanced", random_state=random_state),
    )


@method(
    "lbptop-svm",
    reference="G. Zhao, M. Pietikainen, Dynamic texture recognition using local binary patterns with an application "
    "to facial expressions, TPAMI, 2007; setting of the MEGC2019 baseline (See et al., FG, 2019)",
    needs=("pixels",),
    tiny={"lbptop__blocks": (2, 2, 1)},
)
def lbptop_svm(*, random_state: int | None = None) -> BaseEstimator:
    """LBP-TOP histograms of 5x5 blocks with a linear SVM, the field's baseline.

    Setting of the MEGC2019 baseline: TIM to 10 frames, radii 1, 1, 4 (x, y, t), 4 neighbours, 5x5 blocks.

    Differs from it in: uniform patterns (15 bins) and the SVM's C = 1, which its paper does not state.
    """
    return make_pipeline(
        TIM(n_frames=10),
        LBPTOP(radii=(1, 1, 4), neighbors=4, blocks=(5, 5, 1)),
        linear_svm(random_state=random_state),
    )
