"""Read a video frame by frame: train on labelled clips, then list the expressions in a video of somebody else."""

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import microexpr
from microexpr.features import Gabor
from microexpr.pipelines import FrameReader

# Synthetic faces fill their frames. For pictures of more than a face, pass crop=microexpr.video.faces.Align((96, 96)).
faces = {"size": (48, 42), "fps": 20.0, "duration": (0.3, 0.5), "peak_motion": (3.2, 3.2)}
known = microexpr.make_clips(20, 3, ("happiness", "surprise"), **faces)
# Subject 21 is in no training clip; margin puts neutral frames before and after the expression.
everybody = microexpr.make_clips(21, 3, ("happiness", "surprise"), margin=4, **faces)
video, truth = everybody.clips[-1], everybody.y[-1]

classifier = make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.01))
reader = FrameReader(classifier, features=Gabor(frames="onset-apex", pool=8), min_frames=2)
reader.fit(known.clips, known.y)

labels = reader.predict_frames(video)
print(f"{video.clip_id}: {truth} from frame {video.onset} to {video.offset}, apex {video.apex}")
for position, label in enumerate(labels):
    print(f"{position:3} {label}")
print(reader.read(video))
