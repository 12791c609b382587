"""The long form: how many schedules go wrong with all rules on, and without each one.

python -m tests.model --schedules 2000 --rules all
python -m tests.model --schedules 400 --rules on,fence,outputs_with_state --findings
"""

from __future__ import annotations

import argparse
from collections import Counter

from tests.model.rules import NAMES, WITHOUT, Rules
from tests.model.schedules import VARIANTS, Variant, run


def bad_schedules(rules: Rules, variant: Variant, seeds: range) -> tuple[int, Counter[str], int | None]:
    """Number of schedules with a finding, all findings, the first seed that shows one."""
    bad, seen, first = 0, Counter[str](), None
    for seed in seeds:
        found = run(seed, rules, variant)
        bad += bool(found)
        seen.update(found)
        first = seed if found and first is None else first
    return bad, seen, first


def main() -> None:
    """Print one row per rule, one column per variant."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--schedules", type=int, default=400, help="schedules per cell")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rules", default="all", help="`on`, names of rules to switch off, or `all`")
    parser.add_argument(
        "--findings", action="store_true", help="also what went wrong, and a seed that shows it"
    )
    args = parser.parse_args()
    names = ("on", *NAMES) if args.rules == "all" else tuple(args.rules.split(","))
    seeds = range(args.first_seed, args.first_seed + args.schedules)
    print(f"seeds {seeds.start}..{seeds.stop - 1}\n")
    print(
        f"| {'without the rule':24} | {' | '.join(f'{variant:>7}' for variant in VARIANTS)} | what happens then |"
    )
    print(f"|---|{'---:|' * len(VARIANTS)}---|")
    for name in names:
        rules = Rules() if name == "on" else Rules().without(name)
        cells = [bad_schedules(rules, variant, seeds) for variant in VARIANTS]
        counts = " | ".join(f"{bad:7}" for bad, _, _ in cells)
        print(f"| {name:24} | {counts} | {WITHOUT.get(name, 'all rules on')} |", flush=True)
        for variant, (_, seen, first) in zip(VARIANTS, cells, strict=True):
            for sentence, times in seen.most_common(4) if args.findings else ():
                print(f"    {variant}: {times} x {sentence} (seed {first})")


if __name__ == "__main__":
    main()
