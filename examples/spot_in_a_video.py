"""Find the expressions in a long video, and compare them with the true ones: python examples/spot_in_a_video.py

The video is synthetic; `spot("talk.mp4")` reads a file, `microexpr watch talk.mp4` writes a page to review it on.
"""

from microexpr.data import make_videos
from microexpr.spotting import EXPRESSIONS, match_intervals, spot

videos = make_videos(n_subjects=1, videos_per_subject=1, seconds=15, seed=2)
[source] = videos.sources.values()

events = spot(source, fps=30)
print(events[["kind", "onset", "apex", "offset", "region", "score"]].to_string(index=False))

found = events[events["kind"].isin(EXPRESSIONS)].reset_index(drop=True)
hits = match_intervals(videos.intervals[["onset", "offset"]], found[["onset", "offset"]])
print(f"{len(hits)} of {len(videos.intervals)} expressions found, {len(found) - len(hits)} false")
