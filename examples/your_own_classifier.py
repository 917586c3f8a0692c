"""Put a classifier of your own, tuned inside each fold on training subjects only, under the same harness."""

from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import microexpr
from microexpr.features import FlowMap
from microexpr.pipelines import scores

clips = microexpr.make_clips(n_subjects=6, clips_per_subject=6)
tuned = GridSearchCV(SVC(class_weight="balanced"), {"C": [0.1, 1.0, 10.0]}, cv=GroupKFold(3))
predictions = microexpr.run(make_pipeline(FlowMap(method="dis"), StandardScaler(), tuned), clips)
print(scores(predictions, clips.classes))
