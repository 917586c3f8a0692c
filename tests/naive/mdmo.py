"""Slow obvious twin of MDMO: loops over frames, regions and pixels, with angles, from its description."""

import cmath
import math


def mdmo(flows, regions, alpha):
    """flows[frame][y][x] = (u, v) and regions[region][y][x] = bool -> the list of features."""
    motions = [sum(main_motion(flow, region) for flow in flows) / len(flows) for region in regions]
    largest = max(abs(motion) for motion in motions)
    lengths = [alpha * (abs(motion) / largest if largest else 0.0) for motion in motions]
    return lengths + [(1 - alpha) * (cmath.phase(motion) if motion else 0.0) for motion in motions]


def main_motion(flow, region):
    """The mean vector, as a complex number, of the bin that has most vectors."""
    bins = [[] for _ in range(8)]
    for flow_row, region_row in zip(flow, region, strict=True):
        for (u, v), inside in zip(flow_row, region_row, strict=True):
            if inside and (u or v):
                degrees = math.degrees(math.atan2(v, u))
                bins[math.floor((degrees + 22.5) / 45) % 8].append(complex(u, v))
    fullest = max(bins, key=len)
    return sum(fullest) / len(fullest) if fullest else 0j
