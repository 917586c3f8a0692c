"""Several methods together, each with features and a classifier of its own."""

from collections.abc import Callable

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from microexpr.classifiers.calibration import SubjectCalibrated
from microexpr.classifiers.featurefusion import FeatureFusion
from microexpr.classifiers.fusion import ScoreFusion
from microexpr.classifiers.selection import VarianceRatioSelector
from microexpr.classifiers.svm import linear_svm
from microexpr.core.checks import check_choice
from microexpr.core.errors import ParameterError
from microexpr.features import CBPTOP, LBPTOP, InRegions
from microexpr.pipelines.methods import _published as published
from microexpr.pipelines.methods.handcrafted import biwoof_svm, flow_svm, hog3d_svm, lbptop_svm, strain_svm
from microexpr.pipelines.prefix import split_prefix
from microexpr.pipelines.registry import build, get_method, method
from microexpr.pipelines.views import ClipViews
from microexpr.video.tim import TIM


def _fusion(methods: dict[str, Callable[..., BaseEstimator]], random_state: int | None) -> BaseEstimator:
    """Return the fusion of methods, each with its own features and classifier."""
    parts = {name: split_prefix(builder(random_state=random_state)) for name, builder in methods.items()}
    return make_pipeline(
        ClipViews([(name, prefix) for name, (prefix, _) in parts.items()]),
        ScoreFusion([(name, learner) for name, (_, learner) in parts.items()]),
    )


@method(
    "fusion",
    reference="no paper; P3's future work (Hata et al.): handcrafted and deep features together",
    needs=("motion",),
    tiny={"members": ("flow-svm", "strain-svm"), "clipviews__flow-svm__flowmap__method": "dis"},
)
def fusion(
    *,
    members: tuple[str, ...] = ("flow-rbf", "flow-cnn"),
    by: str = "scores",
    calibrated: bool = False,
    random_state: int | None = None,
) -> BaseEstimator:
    """Any registered methods together, by their scores or their features; by default `flow-rbf` and `flow-cnn`.

    `--set members=flow-rbf,ststnet,biwoof-svm` names others. `--set by=features` joins what their classifiers see, a
    network's last features among them, under one linear SVM; by scores, members weigh alike, and
    `--set scorefusion__weights=learned` learns the weights on inner folds of the training subjects. With
    `--set calibrated=True` members without probabilities get some, by Platt scaling on inner folds of the training
    subjects, where else a softmax of an SVM's decision values stands for them, too even beside a network's.

    Members that need what a clip lacks say so when it is read.
    """
    names = tuple(name.strip() for name in members.split(",")) if isinstance(members, str) else members
    check_choice(by, "by", ("scores", "features"))
    check_choice(calibrated, "calibrated", (False, True))
    if not isinstance(names, (tuple, list)) or len(names) < 2 or len(set(names)) < len(names):
        raise ParameterError(f"members is {members!r}: it must name two methods at least, each once")
    records = {name: get_method(name) for name in names}
    parts = {name: split_prefix(build(name, random_state=random_state)) for name in names}
    for name, (prefix, _) in parts.items():
        if prefix is None or isinstance(prefix.steps[-1][1], ClipViews):
            raise ParameterError(f"members holds {name!r}: a fusion or a method without features cannot be a member")
        if records[name].auxiliary == "required":
            raise ParameterError(f"members holds {name!r}: a method that needs auxiliary clips cannot be a member")
    learners = [(name, learner) for name, (_, learner) in parts.items()]
    views = ClipViews([(name, prefix) for name, (prefix, _) in parts.items()])
    if by == "features":
        return make_pipeline(views, FeatureFusion(learners, random_state=random_state))
    if calibrated:
        learners = [
            (name, learner if hasattr(learner, "predict_proba") else SubjectCalibrated(learner))
            for name, learner in learners
        ]
    return make_pipeline(views, ScoreFusion(learners))


def _selected(random_state: int | None) -> BaseEstimator:
    return make_pipeline(
        VarianceRatioSelector(n_features=0.5), linear_svm(class_weight="balanced", random_state=random_state)
    )


@method(
    "kato-fusion",
    reference="K. Kato, H. Takano, M. Saiko, M. Kubo, H. Imaoka, Comparative study of feature extraction method for "
    "emotional classification by micro-expression, APSIPA ASC, 2021",
    needs=("pixels",),
    tiny={
        "clipviews__lbptop__inregions__regions": "grid",
        "clipviews__lbptop__inregions__grid": (2, 2),
        "clipviews__cbptop__inregions__regions": "grid",
        "clipviews__cbptop__inregions__grid": (2, 2),
    },
    published=published.KATO,
)
def kato_fusion(*, random_state: int | None = None) -> BaseEstimator:
    """LBP-TOP and CBP-TOP in 15 regions of the face, features chosen by variance ratio, scores added.

    The ratio of the variance between classes to that within them is learned on each fold's training clips alone.
    A later paper of the same laboratory reports that the selection helped and that the fusion did not; the paper's own
    data, protocol and figures were not at hand, so `--protocol paper` is loso. Other regions:
    `--set clipviews__lbptop__inregions__regions=grid`, and the same for cbptop.

    Differs from it in: half of the features are kept, TIM to 10 frames, radii (1, 1, 4) for LBP-TOP with 8 neighbours
    and (1, 1, 1) for CBP-TOP, linear SVMs, equal weights, and the places of the 15 regions: not stated where we could
    read.
    """
    views = [
        ("lbptop", make_pipeline(TIM(n_frames=10), InRegions(LBPTOP(radii=(1, 1, 4)), regions="kato15"))),
        ("cbptop", make_pipeline(TIM(n_frames=10), InRegions(CBPTOP(), regions="kato15"))),
    ]
    return make_pipeline(ClipViews(views), ScoreFusion([(name, _selected(random_state)) for name, _ in views]))


@method(
    "handcrafted-fusion",
    reference="no paper; appearance, gradients and motion side by side",
    needs=("pixels", "motion"),
    tiny={
        "clipviews__lbptop__lbptop__blocks": (2, 2, 1),
        "clipviews__hog3d__hog3d__regions": "grid",
        "clipviews__biwoof__biwoof__method": "dis",
        "clipviews__flow__flowmap__method": "dis",
    },
)
def handcrafted_fusion(*, random_state: int | None = None) -> BaseEstimator:
    """The methods `lbptop-svm`, `hog3d-svm`, `biwoof-svm` and `flow-svm`, their scores added.

    `--set scorefusion__weights=learned` learns the weights on inner folds of the training subjects.
    """
    return _fusion({"lbptop": lbptop_svm, "hog3d": hog3d_svm, "biwoof": biwoof_svm, "flow": flow_svm}, random_state)


@method(
    "motion-fusion",
    reference="no paper; what can be described of a stored flow map",
    needs=("motion",),
    tiny={
        "clipviews__flow__flowmap__method": "dis",
        "clipviews__strain__opticalstrain__method": "dis",
        "clipviews__biwoof__biwoof__method": "dis",
    },
)
def motion_fusion(*, random_state: int | None = None) -> BaseEstimator:
    """The methods `flow-svm`, `strain-svm` and `biwoof-svm`, their scores added.

    `--set scorefusion__weights=learned` learns the weights on inner folds of the training subjects.
    """
    return _fusion({"flow": flow_svm, "strain": strain_svm, "biwoof": biwoof_svm}, random_state)
