"""Where a rule should go, predicted and tried on every set at hand: `python tools/placement_evidence.py predict|try
[FOLDER]` writes small tables to nbs/studies/results/, which the chapters read; the data stay where they are"""
import sys
from pathlib import Path

import pandas as pd
from study_sets import StudySet, study_sets

from portfolio_research.studies.placement_prediction import predict_placement

RESULTS = Path(__file__).parents[1] / "nbs" / "studies" / "results"
FACTS = ("strategies", "years", "per_year", "horizon", "correlation", "sharpe", "own", "own_error", "common",
         "common_error")


def predictions(s: StudySet) -> list[dict]:
    "One row a rule: what the streams say, and what follows."
    rows = []
    for rule, made in s.rules.items():
        p = predict_placement(s.returns, made, cash=s.cash, per_year=s.market.per_year)
        facts = {("mean " if f == "sharpe" else "") + f: round(float(getattr(p.facts, f)), 4) for f in FACTS}
        rows.append({"set": s.name, "rule": rule, "data": s.fingerprint, **facts,
                     "sharpe": round(p.sharpe.value, 4), "sharpe_error": round(p.sharpe.error, 4),
                     "loss": round(p.loss.value, 4), "loss_error": round(p.loss.error, 4),
                     "sharpe_winner": p.winner("sharpe"), "loss_winner": p.winner("loss"),
                     "question": p.question})
    return rows


def write(rows: list[dict], name: str, keys: list[str]) -> pd.DataFrame:
    "Put rows in the place of those of the same keys; the rest of a table is kept."
    path, new = RESULTS / f"{name}.csv", pd.DataFrame(rows)
    if path.exists():
        old = pd.read_csv(path)
        new = pd.concat([old[~old[keys].apply(tuple, axis=1).isin(new[keys].apply(tuple, axis=1))], new])
    RESULTS.mkdir(exist_ok=True)
    new.to_csv(path, index=False)
    return new


def main(what: str, folder: str | None) -> None:
    for name, make in study_sets(folder).items():
        rows = predictions(make())
        write(rows, "placement_predictions", ["set", "rule"])
        for r in rows:
            print(f"{name}, {r['rule']}: correlation {r['correlation']:.2f}, own {r['own']:+.2f} ± {r['own_error']:.2f}, "
                  f"common {r['common']:+.2f}; Sharpe ratio {r['sharpe']:+.3f}, {r['sharpe_winner']}; worst loss "
                  f"{100 * r['loss']:+.1f} points, {r['loss_winner']}", flush=True)


if __name__ == "__main__": main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
