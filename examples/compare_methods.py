"""Compare methods on clips and print the table; pass `casme2=DIR` or `flowmaps=DIR` to use your own."""

import sys

import microexpr

clips = microexpr.load_data(sys.argv[1:] or ["synthetic:n_subjects=4,clips_per_subject=6"])
comparison = microexpr.compare(["flow-svm"], clips, store="results/example")
print(comparison.table()[["UF1", "UF1_low", "UF1_high", "UAR", "accuracy"]].round(3))
