"""What a learner who knows the subject answers, given only what the exam shows them.

Options are opaque in an attempt, so an answer is found by the text that the learner reads.
"""

from __future__ import annotations

from typing import Any


def right_answer(shown: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    """The body that answers a question rightly.

    Args:
        shown: The question as the attempt shows it: options with opaque ids and their text.
        declared: The question as the manifest declares it, with its key.
    """
    kind = declared["type"]
    if kind == "Numeric":
        return {"value": declared["numeric"]["value"]}
    if kind == "ShortText":
        return {"text": declared["shortText"]["accepted"][0]}
    if kind == "Matching":
        return {"pairs": _pairs(shown, declared)}
    ids = {option["text"].strip(): option["id"] for option in shown["options"]}
    text = {option["key"]: option["text"].strip() for option in declared["options"]}
    if kind == "Ordering":
        return {"order": [ids[option["text"].strip()] for option in declared["options"]]}
    chosen = [ids[text[key]] for key in declared["correct"]]
    return {"option": chosen[0]} if kind == "SingleChoice" else {"options": chosen}


def wrong_option(shown: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    """The body that answers a question with one choice wrongly."""
    right = right_answer(shown, declared)["option"]
    return {"option": next(one["id"] for one in shown["options"] if one["id"] != right)}


def _pairs(shown: dict[str, Any], declared: dict[str, Any]) -> dict[str, str]:
    left = {entry["text"].strip(): entry["id"] for entry in shown["lefts"]}
    right = {entry["text"].strip(): entry["id"] for entry in shown["rights"]}
    return {left[pair["left"].strip()]: right[pair["right"].strip()] for pair in declared["pairs"]}
