"""Networks as classifiers of arrays; the only part that needs the extra `deep` (PyTorch, skorch, safetensors)."""

from microexpr.core.lazy import lazy_names

__all__ = [
    "DubeyClassifier",
    "FlowCNNClassifier",
    "HataClassifier",
    "HoultonClassifier",
    "MotionNetClassifier",
    "NMERClassifier",
    "OFFApexNetClassifier",
    "STSTNetClassifier",
    "TwoStreamClassifier",
    "grad_cam",
    "load_network",
    "save_network",
    "train_member",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DubeyClassifier": "microexpr.deep.dubey",
        "FlowCNNClassifier": "microexpr.deep.flowcnn",
        "HataClassifier": "microexpr.deep.hata",
        "HoultonClassifier": "microexpr.deep.houlton",
        "MotionNetClassifier": "microexpr.deep.motionnet",
        "NMERClassifier": "microexpr.deep.nmer",
        "OFFApexNetClassifier": "microexpr.deep.offapexnet",
        "STSTNetClassifier": "microexpr.deep.ststnet",
        "TwoStreamClassifier": "microexpr.deep.twostream",
        "grad_cam": "microexpr.deep.attention",
        "load_network": "microexpr.deep.weights",
        "save_network": "microexpr.deep.weights",
        "train_member": "microexpr.deep.pretraining",
    },
)
