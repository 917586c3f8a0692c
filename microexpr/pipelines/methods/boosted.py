"""Handcrafted features under GentleBoost."""

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from microexpr.classifiers.gentleboost import GentleBoostClassifier
from microexpr.classifiers.gentlesvm import GentleSVM
from microexpr.classifiers.neutral import NeutralClassifier
from microexpr.features import LBPTOP, BiWOOF, Gabor
from microexpr.pipelines.methods import _published as published
from microexpr.pipelines.registry import method
from microexpr.video.tim import TIM

_FRIEDMAN = "J. Friedman, T. Hastie, R. Tibshirani, Additive logistic regression, Annals of Statistics 28(2), 2000"


@method(
    "lbptop-gentleboost",
    reference=f"no paper of the combination; {_FRIEDMAN}",
    needs=("pixels",),
    tiny={"lbptop__blocks": (2, 2, 1), "gentleboostclassifier__n_estimators": 10},
)
def lbptop_gentleboost(*, random_state: int | None = None) -> BaseEstimator:
    """LBP-TOP histograms as in `lbptop-svm`, classified by GentleBoost, 100 rounds for each class."""
    return make_pipeline(
        TIM(n_frames=10),
        LBPTOP(radii=(1, 1, 4), neighbors=4, blocks=(5, 5, 1)),
        GentleBoostClassifier(n_estimators=100, group_ties=True),
    )


@method(
    "biwoof-gentleboost",
    reference=f"no paper of the combination; {_FRIEDMAN}",
    needs=("motion",),
    tiny={"biwoof__method": "dis", "gentleboostclassifier__n_estimators": 10},
)
def biwoof_gentleboost(*, random_state: int | None = None) -> BaseEstimator:
    """Bi-WOOF of 8x8 blocks, classified by GentleBoost, 100 rounds for each class."""
    return make_pipeline(BiWOOF(blocks=(8, 8)), GentleBoostClassifier(n_estimators=100, group_ties=True))


@method(
    "gentlesvm",
    reference="Q. Wu, X. Shen, X. Fu, The machine knows what you are hiding: an automatic micro-expression recognition "
    "system, ACII, 2011",
    needs=("pixels", "motion"),
    tiny={"gabor__n_scales": 3, "neutralclassifier__estimator__n_estimators": 10},
    published=published.GENTLESVM,
)
def gentlesvm(*, random_state: int | None = None) -> BaseEstimator:
    """Gabor magnitudes of single frames, features chosen by GentleBoost, an SVM for emotions and neutral.

    48x48 pixels, 9 scales, 8 orientations. Onset frames train the class neutral, apex frames the clip's own; a clip is
    given the best class but neutral of its apex frame. `microexpr.pipelines.reading.FrameReader` labels videos frame by
    frame with it and calls an expression shorter than a threshold a micro-expression, as the paper does.

    Differs from it in: magnitudes are averaged over 4x4 pixels (10,368 features; `--set gabor__pool=1` has all
    165,888); 100 rounds of boosting; trained on the training clips of each fold, where the paper trains on posed
    expressions.
    """
    return make_pipeline(Gabor(frames="onset-apex", pool=4), NeutralClassifier(GentleSVM(class_weight="balanced")))
