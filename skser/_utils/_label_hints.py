"""Labels that may be mistakes: of very few clips, or spelt almost as another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_FEW = 2
_MIN_LENGTH = 4  # shorter words, such as codes, differ by a letter on purpose
_MAX_LISTED = 10


def label_hints(labels: Iterable[object]) -> list[str]:
    """A line for each label that others are spelt almost as, and one for other rare labels."""
    counts = Counter(labels)
    variants: dict[object, list[object]] = {}
    for label, _ in counts.most_common():
        similar = (other for other in variants if _is_similar(str(label), str(other)))
        leader = next(similar, None)
        if leader is None:
            variants[label] = []
        else:
            variants[leader].append(label)

    def listed(group: list[object]) -> str:
        more = f" and {len(group) - _MAX_LISTED} more" if len(group) > _MAX_LISTED else ""
        return ", ".join(f"{label!r} ({counts[label]})" for label in group[:_MAX_LISTED]) + more

    doubtful = [(listed(group), listed([leader])) for leader, group in variants.items() if group]
    lines = [f"{those}: perhaps {this}?" for those, this in doubtful]
    alone = [label for label, group in variants.items() if not group and counts[label] <= _FEW]
    if alone and max(counts.values()) > _FEW:
        lines.append(f"{listed(alone)}: too few recordings; add some, or leave the class out")
    return lines


def _is_similar(one: str, other: str) -> bool:
    """Whether two words differ in case and spaces alone, or by one letter."""
    a, b = one.strip().casefold(), other.strip().casefold()
    if a == b:
        return True
    is_word = all(len(word) >= _MIN_LENGTH and not any(map(str.isdigit, word)) for word in (a, b))
    if not is_word or abs(len(a) - len(b)) > 1:
        return False
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if same is None:
        return True
    return a[same + 1 :] == b[same + 1 :] or a[same:] == b[same + 1 :] or a[same + 1 :] == b[same:]
