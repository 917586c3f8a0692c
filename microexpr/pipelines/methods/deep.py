"""The networks of the papers, each behind the clip steps that its paper describes.

Nothing here imports torch: a builder takes its classifier from `microexpr.deep` when it is called.
"""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from microexpr.core.checks import check_choice
from microexpr.features import FlowImage, FlowMap, FrameAndFlow, OnlyRegions, Stills, Volume
from microexpr.pipelines.fromdeep import from_deep
from microexpr.pipelines.methods import _published as published
from microexpr.pipelines.registry import PaperRun, method
from microexpr.video import EMR, TIM, Pad, Resize

_FLOW = {"flowmap__method": "dis"}


def network(name: str, **params: Any) -> BaseEstimator:
    """Return a classifier of `microexpr.deep` by name.

    Raises
    ------
    MicroexprError
        If the extra `deep` is not installed.
    """
    built: BaseEstimator = from_deep(name)(**params)
    return built


@method(
    "ststnet",
    reference="S.-T. Liong, Y. S. Gan, J. See, H.-Q. Khor, Y.-C. Huang, Shallow triple stream three-dimensional CNN "
    "(STSTNet) for micro-expression recognition, FG, 2019",
    needs=("motion",),
    tiny={**_FLOW, "ststnetclassifier__epochs": 2},
    paper=(PaperRun("loso", UF1=0.7353, UAR=0.7605),),
    published=published.STSTNET,
)
def ststnet(*, random_state: int | None = None) -> BaseEstimator:
    """Three shallow streams of convolutions on 28x28 onset-apex flow and strain (STSTNet).

    Adam, learning rate 5e-5, batches of 256, 500 epochs, the last one kept.

    Differs from it in: clips come in another order each epoch. Its published UAR is a macro precision; the recall of
    its own log is .7186.
    """
    return make_pipeline(FlowMap(size=28), network("STSTNetClassifier", random_state=random_state))


@method(
    "off-apexnet",
    reference="Y. S. Gan, S.-T. Liong, W.-C. Yau, Y.-C. Huang, L.-K. Tan, OFF-ApexNet on micro-expression recognition "
    "system, Signal Processing: Image Communication 74, 2019",
    needs=("motion",),
    tiny={**_FLOW, "offapexnetclassifier__epochs": 1},
    paper=(PaperRun("loso", UF1=0.7196, UAR=0.7096),),
    published=published.OFFAPEXNET,
)
def off_apexnet(*, random_state: int | None = None) -> BaseEstimator:
    """Two streams of convolutions, of horizontal and of vertical onset-apex flow, 28x28 (OFF-ApexNet).

    Differs from it in: epochs, batches and dropout, which are not stated where we could read;
    `microexpr.deep.offapexnet` lists them.
    """
    return make_pipeline(FlowMap(size=28), network("OFFApexNetClassifier", random_state=random_state))


@method(
    "flow-cnn",
    reference="no paper; the least network that is any good on the same 28x28 maps",
    needs=("motion",),
    tiny={**_FLOW, "flowcnnclassifier__epochs": 1, "flowcnnclassifier__n_networks": 2},
)
def flow_cnn(*, random_state: int | None = None) -> BaseEstimator:
    """Five small networks of two convolutions each on 28x28 onset-apex flow and strain, their probabilities averaged.

    Maps scaled clip by clip; mirrored and shifted copies in training. Fixed beforehand and not tuned.
    """
    return make_pipeline(FlowMap(size=28), network("FlowCNNClassifier", random_state=random_state))


def _nmer(emr: bool, random_state: int | None, **params: Any) -> BaseEstimator:
    steps = [EMR()] if emr else []
    return make_pipeline(*steps, FlowImage(size=224), network("NMERClassifier", random_state=random_state, **params))


_NMER = "Y. Liu, H. Du, L. Zheng, T. Gedeon, A neural micro-expression recognizer, FG, 2019"
_NMER_CAUTION = (
    "without nmerclassifier__weights the backbone begins at random, not at ImageNet's weights as in the paper, and its "
    "learning rate of 1e-5 is small, so figures near the majority row are no surprise"
)
_NMER_TINY = {
    "flowimage__method": "dis",
    "flowimage__size": 32,
    "nmerclassifier__epochs": 1,
    "nmerclassifier__batch_size": 4,
}


@method(
    "nmer",
    reference=_NMER,
    needs=("motion",),
    tiny=_NMER_TINY,
    paper=(PaperRun("loso"),),
    published=published.NMER,
    caution=_NMER_CAUTION,
)
def nmer(*, random_state: int | None = None) -> BaseEstimator:
    """ResNet-18 on the onset-apex flow image, pooled in an upper and a lower part of the face (NMER, part only).

    `--set nmerclassifier__weights=PATH` begins with the standard ImageNet checkpoint, as the paper does; without it the
    weights are random and the backbone's learning rate of 1e-5 is small.

    Differs from it in: see `microexpr.deep.nmer`; no face is aligned here: use cropped clips.
    """
    return _nmer(False, random_state)


@method(
    "nmer+emr",
    reference=_NMER,
    needs=("pixels", "motion"),
    tiny=_NMER_TINY,
    paper=(PaperRun("loso", UF1=0.7663, UAR=0.7531),),
    published=published.NMER,
    auxiliary="optional",
    caution=_NMER_CAUTION,
)
def nmer_emr(*, random_state: int | None = None) -> BaseEstimator:
    """NMER with expression magnification and reduction: micro-expressions magnified, macro-expressions cut in half.

    Macro-expressions (`--auxiliary ckplus=DIR` or `synthetic-macro`) join the training, their apex the middle frame.

    Differs from it in: see `microexpr.video.emr`.
    """
    return _nmer(True, random_state)


@method(
    "nmer+emr+adversarial",
    reference=_NMER,
    needs=("pixels", "motion"),
    tiny=_NMER_TINY,
    paper=(PaperRun("loso", UF1=0.7885, UAR=0.7824),),
    published=published.NMER,
    auxiliary="required",
    caution=_NMER_CAUTION,
)
def nmer_adversarial(*, random_state: int | None = None) -> BaseEstimator:
    """NMER with EMR and a domain discriminator behind a gradient reversal.

    The reversal grows with the progress of each fold's own training.

    Differs from it in: see `microexpr.deep.nmer`.
    """
    return _nmer(True, random_state, adversarial=True)


@method(
    "houlton-cnn",
    reference="S. Houlton, Expression classification in microexpressions, Colorado State University",
    needs=("pixels", "apex"),
    tiny={
        "pad__size": (72, 64),
        "houltonclassifier__epochs": 1,
        "houltonclassifier__width": 2,
        "houltonclassifier__batch_size": 4,
    },
    paper=(PaperRun("holdout:0.7"), PaperRun("kfold:5", accuracy=0.45)),
    published=published.HOULTON,
    caution="by default it sees the apex frame alone: no motion, so figures near the majority row are no surprise",
)
def houlton_cnn(
    *, positions: tuple[str, ...] = ("apex",), colour: bool = True, random_state: int | None = None
) -> BaseEstimator:
    """A network of 47 layers on the apex frame alone, padded to 400x400.

    `--set positions="('onset','apex','offset')"` gives it three frames, as the paper proposes for later; then
    `--set colour=False` makes each frame one channel. One frame holds no motion: below the methods of motion it is no
    surprise.

    Differs from it in: see `microexpr.deep.houlton`; its splits are of shuffled clips, `holdout` and `kfold` keep the
    shares of the classes.
    """
    return make_pipeline(
        Pad(size=(400, 400)),
        Stills(positions=positions, colour=colour),
        network("HoultonClassifier", random_state=random_state),
    )


@method(
    "dubey-3dcnn",
    reference="V. Dubey, B. Takkar, P. S. Lamba, Micro-expression recognition using 3D-CNN",
    needs=("pixels",),
    tiny={"resize__size": (16, 16), "dubeyclassifier__epochs": 1, "tim__method": "linear"},
    paper=tuple(
        PaperRun(f"holdout:{share}", {"dubeyclassifier__activation": activation}, accuracy=accuracy)
        for activation, figures in (("relu", (0.625, 0.541, 0.421, 0.481)), ("swish", (0.62, 0.562, 0.477, 0.531)))
        for share, accuracy in zip((0.8, 0.7, 0.6, 0.5), figures, strict=True)
    ),
    published=published.DUBEY,
)
def dubey_3dcnn(*, random_state: int | None = None) -> BaseEstimator:
    """A network of seven layers, one of them a 3-D convolution, on clips of 18 frames of 64x64.

    `--set dubeyclassifier__activation=swish` is the paper's other one.

    Differs from it in: see `microexpr.deep.dubey`; clips are brought to 18 frames by TIM, the paper does not say how;
    its splits do not keep the shares of the classes (of 32 test clips 21 are negative), `holdout` does.
    """
    return make_pipeline(
        TIM(n_frames=18), Resize(size=(64, 64)), Volume(), network("DubeyClassifier", random_state=random_state)
    )


def _hata_runs() -> tuple[PaperRun, ...]:
    """Return the grid of the paper's Tables 5 and 6: region x frames x attention x (plain, CK+, ArcFace)."""
    table = {
        ("roi", False): ((0.6283, 0.6283), (0.6117, 0.6290), (0.6200, 0.6450)),
        ("roi", True): ((0.6453, 0.6617), (0.6283, 0.6540), (0.6453, 0.6533)),
        ("face", False): ((0.6283, 0.6037),),
        ("face", True): ((0.6370, 0.6283),),
    }
    variants: tuple[dict[str, bool], ...] = ({}, {"hataclassifier__finetune": True}, {"hataclassifier__arcface": True})
    return tuple(
        PaperRun(
            "kfold:5",
            {"region": region, "frames": frames, "hataclassifier__abn": attention, **variants[row]},
            accuracy=accuracy,
        )
        for (region, attention), rows in table.items()
        for row, pair in enumerate(rows)
        for frames, accuracy in zip(("apex", "three"), pair, strict=True)
    )


@method(
    "hata-resnet",
    reference="K. Hata, T. Hirose, H. Takano, Performance evaluation of micro-expression recognition with various "
    "network design variations in deep learning",
    needs=("pixels", "apex"),
    tiny={
        "region": "face",
        "resize__size": (32, 32),
        "hataclassifier__epochs": 1,
        "hataclassifier__batch_size": 9,
    },
    paper=_hata_runs(),
    published=published.HATA,
    auxiliary="optional",
)
def hata_resnet(*, region: str = "roi", frames: str = "three", random_state: int | None = None) -> BaseEstimator:
    """ResNet-18 with an attention branch on the apex frame or on onset, middle and apex, of the face or 15 regions.

    `--set region=face` or roi, `--set frames=apex` or three, `--set hataclassifier__abn=False`,
    `--set hataclassifier__arcface=True`, `--set hataclassifier__finetune=True` (needs `--auxiliary ckplus=DIR`).
    The default is the paper's best: regions, three frames, attention.

    Differs from it in: see `microexpr.deep.hata`; outside the 15 regions the picture is black, as the paper does not
    say how regions enter the network; 112x112 pixels, which it does not state.
    """
    check_choice(region, "region", ("face", "roi"))
    check_choice(frames, "frames", ("apex", "three"))
    positions = ("apex",) if frames == "apex" else ("onset", "middle", "apex")
    masks = [OnlyRegions(regions="kato15")] if region == "roi" else []
    return make_pipeline(
        *masks,
        Resize(size=(112, 112)),
        Stills(positions=positions),
        network("HataClassifier", abn=True, random_state=random_state),
    )


@method(
    "two-stream",
    reference="S. Venneti, Revealing true emotions through micro-expressions: a machine learning approach, Software "
    "Engineering Institute, Carnegie Mellon University",
    needs=("pixels",),
    tiny={
        "tim__n_frames": 4,
        "tim__method": "linear",
        "frameandflow__size": (16, 16),
        "frameandflow__method": "dis",
        "twostreamclassifier__epochs": 1,
    },
    paper=(PaperRun("loso", accuracy=0.677),),
    published=published.TWOSTREAM,
)
def two_stream(*, random_state: int | None = None) -> BaseEstimator:
    """A network of two streams, one of a frame's pixels and one of the flow between all frames.

    Clips brought to 11 frames by TIM, so that there are ten fields of flow.

    Differs from it in: the source gives no architecture and no setting, so all of them are ours;
    `microexpr.deep.twostream` lists them. No stream is pretrained; loso stands for its protocol.
    """
    return make_pipeline(
        TIM(n_frames=11), FrameAndFlow(size=(64, 64)), network("TwoStreamClassifier", random_state=random_state)
    )
