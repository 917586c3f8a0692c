"""Handcrafted features of frames and of motion with support vector machines.

None of the papers states the C of its SVM: where no comment says otherwise, C = 1 on rows of unit length or histograms
that sum to 1, and C = 1e-3 on standardised features, both close to 1 over a row's mean squared length.
"""

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from microexpr.classifiers.laplacian import LaplacianScoreSelector
from microexpr.classifiers.mapscaling import MapScaling
from microexpr.classifiers.mirrored import MirroredTraining
from microexpr.classifiers.svm import RBFSVM, HistogramSVM, linear_svm
from microexpr.features import HOG3D, LBPTOP, MDMO, STLBPIP, BiWOOF, FlowMap, OpticalStrain
from microexpr.pipelines.methods import _published as published
from microexpr.pipelines.registry import PaperRun, method
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
    "flow-rbf",
    reference="no paper; the strongest of simple classifiers on the same 28x28 maps",
    needs=("motion",),
    tiny={"flowmap__method": "dis"},
)
def flow_rbf(*, random_state: int | None = None) -> BaseEstimator:
    """28x28 onset-apex flow and strain, scaled and smoothed, mirrored copies added, with an RBF SVM.

    Each channel of each map has unit length, is centred, then blurred (sigma 1); the training maps and their mirror
    images train an RBF SVM, C = 1, gamma = 1 / median squared distance, balanced. Fixed beforehand and not tuned.
    """
    svm = make_pipeline(MapScaling(), RBFSVM(C=1.0, class_weight="balanced"))
    return make_pipeline(FlowMap(size=28), MirroredTraining(svm))


@method(
    "lbptop-svm",
    reference="G. Zhao, M. Pietikainen, Dynamic texture recognition using local binary patterns with an application "
    "to facial expressions, TPAMI, 2007; setting of the MEGC2019 baseline (See et al., FG, 2019)",
    needs=("pixels",),
    tiny={"lbptop__blocks": (2, 2, 1)},
    paper=(PaperRun("loso"),),
    published=published.LBPTOP,
)
def lbptop_svm(*, random_state: int | None = None) -> BaseEstimator:
    """LBP-TOP histograms of 5x5 blocks with a linear SVM, the field's baseline.

    Setting of the MEGC2019 baseline: TIM to 10 frames, radii 1, 1, 4 (x, y, t), 4 neighbours, 5x5 blocks.
    CASME II's usual one: `--set lbptop__neighbors=8 --labels casme2-5` (TIM stays).

    Differs from it in: uniform patterns (15 bins) and the SVM's C = 1, which its paper does not state.
    """
    return make_pipeline(
        TIM(n_frames=10),
        LBPTOP(radii=(1, 1, 4), neighbors=4, blocks=(5, 5, 1)),
        linear_svm(random_state=random_state),
    )


@method(
    "hog3d-svm",
    reference="S. Polikovsky, Y. Kameda, Y. Ohta, Facial micro-expressions recognition using high speed camera and "
    "3D-gradient descriptor, ICDP, 2009",
    needs=("pixels",),
    tiny={"hog3d__regions": "grid", "hog3d__cells": (2, 2, 1)},
    published=published.HOG3D,
)
def hog3d_svm(*, random_state: int | None = None) -> BaseEstimator:
    """Histograms of 3-D gradient orientations in 12 regions of the face with a linear SVM.

    The paper names action units frame by frame, by k-means, in its own posed clips filmed at 200 frames a second: there
    is no figure of it to compare with. `--set hog3d__binning=icosahedron` takes Klaeser's polyhedron instead, another
    descriptor, on a grid; `--set hog3d__regions=grid` needs no face.

    Differs from it in: classes are the clips' emotions; one histogram a region over the whole clip; an SVM instead of
    k-means; and all that the paper's text leaves open, which `microexpr.features.hog3d` lists.
    """
    return make_pipeline(HOG3D(), linear_svm(class_weight="balanced", random_state=random_state))


@method(
    "mdmo-svm",
    reference="Y.-J. Liu, J.-K. Zhang, W.-J. Yan, S.-J. Wang, G. Zhao, X. Fu, A main directional mean optical flow "
    "feature for spontaneous micro-expression recognition, IEEE TAFFC 7(4), 2016",
    needs=("pixels",),
    tiny={"mdmo__regions": "grid", "mdmo__grid": (2, 2), "mdmo__method": "dis"},
    paper=(PaperRun("loso"),),
    published=published.MDMO,
)
def mdmo_svm(*, random_state: int | None = None) -> BaseEstimator:
    """Main directional mean optical flow in 36 regions of the face with an RBF SVM.

    Flow of every frame against the onset, alpha = 0.9, 72 values, as the paper has them.

    Differs from it in: landmarks (68 of a mean shape placed on the eyes, where the paper fits 66), Farneback's flow, no
    alignment in the flow domain; the SVM's kernel, which is not stated where we could read: RBF, C = 1, gamma = 1 /
    median squared distance, balanced.
    """
    return make_pipeline(MDMO(), RBFSVM(C=1.0, class_weight="balanced"))


@method(
    "biwoof-svm",
    reference="S.-T. Liong, J. See, K. Wong, R. C.-W. Phan, Less is more: micro-expression recognition from video "
    "using apex frame, Signal Processing: Image Communication 62, 2018",
    needs=("motion",),
    tiny={"biwoof__method": "dis"},
    paper=(PaperRun("loso"),),
    published=published.BIWOOF,
)
def biwoof_svm(*, random_state: int | None = None) -> BaseEstimator:
    """Bi-WOOF of the onset-apex flow, 8x8 blocks, with a linear SVM.

    SAMM's usual setting is `--set biwoof__blocks="(5,5)"`. An apex that a data set lacks is searched with
    `--find-apex`, never silently. Of stored flow maps, which keep neither zero nor scale, the median counts as zero.

    Differs from it in: rows are scaled to unit length, as the authors' program does (their paper states no scaling);
    C = 1 and balanced class weights, which it does not state. `--set biwoof__convention=liong2018` follows the program
    in all, its dropped bin included.
    """
    return make_pipeline(
        BiWOOF(blocks=(8, 8)), Normalizer(), linear_svm(class_weight="balanced", random_state=random_state)
    )


@method(
    "strain-svm",
    reference="M. Shreve, S. Godavarthy, D. Goldgof, S. Sarkar, Macro- and micro-expression spotting in long videos "
    "using spatio-temporal strain, FG, 2011; S.-T. Liong et al., Spontaneous subtle expression detection and "
    "recognition based on facial strain, Signal Processing: Image Communication 47, 2016",
    needs=("motion",),
    tiny={"opticalstrain__method": "dis"},
    paper=(PaperRun("loso"),),
    published=published.STRAIN,
)
def strain_svm(*, random_state: int | None = None) -> BaseEstimator:
    """The 28x28 image of onset-apex optical strain, standardised, with a linear SVM.

    `--set opticalstrain__frames=all --set opticalstrain__size=50` pools the strain of all frames as Liong et al. do.
    Their strain alone stays below LBP-TOP; their better figures join it with strain-weighted LBP-TOP.

    Differs from them in: Shreve et al. spot and do not recognise; Liong et al. use all frames, where this uses onset
    and apex; the SVM (C = 1e-3, balanced, as `flow-svm`).
    """
    return make_pipeline(
        OpticalStrain(size=28),
        StandardScaler(),
        linear_svm(C=1e-3, class_weight="balanced", random_state=random_state),
    )


@method(
    "stlbpip-svm",
    reference="X. Huang, S.-J. Wang, G. Zhao, M. Pietikainen, Facial micro-expression recognition using spatiotemporal "
    "local binary pattern with integral projection, ICCV workshops, 2015",
    needs=("pixels",),
    tiny={"stlbpip__blocks": (2, 2)},
    paper=(PaperRun("loso"),),
    published=published.STLBPIP,
)
def stlbpip_svm(*, random_state: int | None = None) -> BaseEstimator:
    """Local binary patterns of integral projections (STLBP-IP), 5x5 blocks, with a chi-square SVM.

    Differs from it in: 5x5 blocks, TIM to 10 frames and the chi-square kernel with C = 1, balanced: the paper's are not
    stated where we could read.
    """
    return make_pipeline(
        TIM(n_frames=10), STLBPIP(blocks=(5, 5)), HistogramSVM(kernel="chi2", C=1.0, class_weight="balanced")
    )


@method(
    "distlbprip-svm",
    reference="X. Huang, S.-J. Wang, X. Liu, G. Zhao, X. Feng, M. Pietikainen, Discriminative spatiotemporal local "
    "binary pattern with revisited integral projection for spontaneous facial micro-expression recognition, IEEE TAFFC "
    "10(1), 2019",
    needs=("pixels",),
    tiny={"stlbpip__blocks": (2, 2)},
    paper=(PaperRun("loso"),),
    published=published.DISTLBPRIP,
)
def distlbprip_svm(*, random_state: int | None = None) -> BaseEstimator:
    """STLBP-IP of the sparse part of a robust PCA, features chosen by Laplacian score, with a chi-square SVM.

    The features are chosen on each fold's training clips alone.

    Differs from it in: half of the features are kept, 5x5 blocks, TIM to 10 frames, the chi-square kernel with C = 1,
    balanced: the paper's are not stated where we could read, nor is whether its score is supervised (here it is).
    """
    return make_pipeline(
        TIM(n_frames=10),
        STLBPIP(blocks=(5, 5), discriminative=True),
        LaplacianScoreSelector(n_features=0.5),
        HistogramSVM(kernel="chi2", C=1.0, class_weight="balanced"),
    )
