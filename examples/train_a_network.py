"""Train a small network on some people's clips, keep it in a file without code, and ask it about somebody else."""

from sklearn.metrics import accuracy_score

import microexpr
from microexpr.deep import load_network, save_network

clips = microexpr.make_clips(n_subjects=6, clips_per_subject=6)
model = microexpr.build("flow-cnn", random_state=0, flowcnnclassifier__epochs=20)
flow, network = (step for _, step in model.steps)

maps = flow.transform(clips.clips)
unseen = clips.groups == "synthetic/sub06"
network.fit(maps[~unseen], clips.y[~unseen])
print({name: round(losses[-1], 3) for name, losses in network.history_.items()})

save_network(network, "flow-cnn.safetensors")
again = load_network("flow-cnn.safetensors")
print(again.predict(maps[unseen]), accuracy_score(clips.y[unseen], again.predict(maps[unseen])))
print(again.attention(maps[unseen]).shape)  # where it looks, clip by clip
