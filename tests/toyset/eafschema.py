"""What the schema of EAF 3.0 and ELAN demand of a file, as far as ours go."""

import re
from itertools import pairwise
from xml.etree import ElementTree

# The elements of a document in the order that the schema of EAF 3.0 demands.
_ORDER = ["LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT"]
_ORDER += ["CONTROLLED_VOCABULARY", "LEXICON_REF", "REF_LINK_SET", "EXTERNAL_REF"]
_STEREOTYPES = {"Time_Subdivision", "Symbolic_Subdivision", "Symbolic_Association", "Included_In"}


def check_eaf(path):
    """Check what the schema of EAF 3.0 demands, and what ELAN demands of times and tiers."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "ANNOTATION_DOCUMENT"
    assert {"AUTHOR", "DATE", "VERSION"} <= set(root.attrib)
    assert root.attrib["FORMAT"] == root.attrib["VERSION"] == "3.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", root.attrib["DATE"])
    places = [_ORDER.index(element.tag) for element in root]
    assert places == sorted(places)
    assert len(root.findall("HEADER")) == len(root.findall("TIME_ORDER")) == 1
    assert root.find("HEADER").attrib["TIME_UNITS"] == "milliseconds"
    for medium in root.iter("MEDIA_DESCRIPTOR"):
        assert {"MEDIA_URL", "MIME_TYPE"} <= set(medium.attrib)
    slots = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(slots.values())
    types = {kind.attrib["LINGUISTIC_TYPE_ID"]: kind.attrib for kind in root.iter("LINGUISTIC_TYPE")}
    assert {constraint.attrib["STEREOTYPE"] for constraint in root.iter("CONSTRAINT")} == _STEREOTYPES
    tiers = {tier.attrib["TIER_ID"]: tier for tier in root.iter("TIER")}
    assert len(tiers) == len(root.findall("TIER"))
    ids = [one.attrib["ANNOTATION_ID"] for one in root.iter() if "ANNOTATION_ID" in one.attrib]
    assert len(set(ids) | set(slots)) == len(ids) + len(slots)
    noted = {one.attrib["NAME"]: one.text for one in root.iter("PROPERTY")}
    assert max((int(own[1:]) for own in ids), default=0) <= int(noted["lastUsedAnnotationId"])
    for name, tier in tiers.items():
        kind = types[tier.attrib["LINGUISTIC_TYPE_REF"]]
        parent = tiers.get(tier.attrib.get("PARENT_REF"))
        assert (parent is not None) == ("CONSTRAINTS" in kind)
        aligned = tier.findall("ANNOTATION/ALIGNABLE_ANNOTATION")
        spans = sorted((slots[one.attrib["TIME_SLOT_REF1"]], slots[one.attrib["TIME_SLOT_REF2"]]) for one in aligned)
        assert all(start < end for start, end in spans)
        assert all(before[1] <= after[0] for before, after in pairwise(spans)), name
        references = [one.attrib["ANNOTATION_REF"] for one in tier.findall("ANNOTATION/REF_ANNOTATION")]
        assert not (aligned and references)
        if parent is not None:
            above = parent.findall("ANNOTATION/ALIGNABLE_ANNOTATION")
            assert set(references) <= {one.attrib["ANNOTATION_ID"] for one in above}
            assert len(set(references)) == len(references)
            outer = [(slots[one.attrib["TIME_SLOT_REF1"]], slots[one.attrib["TIME_SLOT_REF2"]]) for one in above]
            assert all(any(low <= start and end <= high for low, high in outer) for start, end in spans)
