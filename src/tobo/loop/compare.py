"""The second program of the loop: what both models said about the held-out set, side by side, as comparison.json.

Reads in /opt/ml/processing: data/ (what gather left), current/ and new/ (the outputs of the batch transforms).
"""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tobo.kit.guest import UserError
from tobo.loop.ending import run_program
from tobo.loop.judging import compare


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--base", type=Path, required=True)
    run_program(parser, _compare)


def _compare(asked: Namespace) -> None:
    base: Path = asked.base
    facts = json.loads((base / "data" / "facts.json").read_text())
    told = json.loads((base / "data" / "truth.json").read_text())
    truth = {f"{told['prefix']}{key}": name for key, name in told["labels"].items()}
    current = decided(base / "current", told["prefix"], facts["current_classes"])
    new = decided(base / "new", told["prefix"], facts["class_names"])
    document = {**compare(truth, current, new, facts["class_names"]), "facts": facts}
    (base / "out").mkdir(parents=True, exist_ok=True)
    (base / "out" / "comparison.json").write_text(json.dumps(document))
    print(document["verdict"], flush=True)


def decided(folder: Path, prefix: str, names: list[str]) -> dict[str, str]:
    """The class of the highest score by the picture's address; raises UserError for an output that is no list of them."""
    found = {}
    for file in sorted(folder.rglob("*.out")):
        key = str(file.relative_to(folder)).removesuffix(".out")
        try:
            answer = json.loads(file.read_text())
            scores = [float(score) for score in (answer["prediction"] if isinstance(answer, dict) else answer)]
        except (ValueError, KeyError, TypeError):
            raise UserError(f"The model's answer for {key} is no list of scores.") from None
        if len(scores) != len(names):
            raise UserError(f"The model gave {len(scores)} scores for {key}, but it has {len(names)} classes.")
        found[f"{prefix}{key}"] = names[scores.index(max(scores))]
    return found


if __name__ == "__main__":
    main()
