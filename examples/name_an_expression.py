"""Name the expression of a clip by the model that comes along: python examples/name_an_expression.py

The clip is synthetic; `predict_files(model, ["smile.mp4"])` reads a video, a folder of frames or a stored flow map.
"""

from microexpr import make_clips, shipped_model
from microexpr.core.errors import NoAnswer
from microexpr.pipelines.framing import frame_clip

model = shipped_model()
clips = make_clips(n_subjects=1, clips_per_subject=3, size=(280, 240), seed=4)

for clip, label in zip(clips.clips, clips.y, strict=True):
    framed, _ = frame_clip(clip, model.framing)  # brings the face to where the model expects it
    try:
        [answer] = model.predict([framed]).to_dict("records")
    except NoAnswer as reason:
        print(reason)
        continue
    strong = {name.removeprefix("strength_"): value for name, value in answer.items() if name.startswith("strength_")}
    units = [f"{name} {value:.1f}" for name, value in sorted(strong.items(), key=lambda item: -item[1])[:3]]
    share = answer[f"proba_{answer['label']}"]
    truth = clips.table.at[clip.clip_id, "aus"]
    print(f"{answer['label']} ({share:.2f}), shown: {label} ({truth}); {', '.join(units)}")
