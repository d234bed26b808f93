# ruff: noqa: E501
"""Where a rule should go, predicted and tried on every set at hand: `python tools/placement_evidence.py predict|try
[FOLDER]` writes small tables to nbs/studies/results/, which the chapters read; the data stay where they are"""
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from study_sets import StudySet, study_sets

from portfolio_research.metrics.metrics import evaluate
from portfolio_research.policy.walkforward import Study
from portfolio_research.risk.exposure_scaling import VolatilityTarget
from portfolio_research.risk.stop_loss import MaxDrawdownStop
from portfolio_research.studies.placement_prediction import predict_placement
from portfolio_research.studies.placement_study import PlacementStudy, study_placements

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
        old[keys] = old[keys].fillna("")  # no rule has no place
        new = pd.concat([old[~old[keys].apply(tuple, axis=1).isin(new[keys].apply(tuple, axis=1))], new])
    RESULTS.mkdir(exist_ok=True)
    new.to_csv(path, index=False)
    return new


def tried(s: StudySet, resamples: int = 500) -> PlacementStudy:
    "The main arms, the same limit for all, and on the industries a volatility target."
    rules = [*s.rules.values(), MaxDrawdownStop(.15)]
    if s.name.startswith("12"): rules.append(VolatilityTarget(.12))
    return study_placements(s.policy, rules, s.market, resamples=resamples, progress=False)


def arms(s: StudySet, answer: PlacementStudy) -> list[dict]:
    "One row an arm: the page of the study."
    rows = answer.page().reset_index().rename(columns={"on": "place"}).round(5).to_dict("records")
    return [{"set": s.name, "data": s.fingerprint} | row for row in rows]


def differences(s: StudySet, answer: PlacementStudy) -> list[dict]:
    "One row a rule: whole less each, with intervals, and how many exits they stand on."
    same, stops, rows = answer.at_equal("volatility"), answer.table().stops, []
    exposure = answer.at_equal("exposure")
    for rule in answer.rules:
        row = {"set": s.name, "data": s.fingerprint, "rule": rule, "years": round(len(answer.returns) / s.market.per_year, 1)}
        for name, of, statistic in (("sharpe", answer, "sharpe"), ("loss", same, "max_drawdown"),
                                    ("loss_exposure", exposure, "max_drawdown")):
            d = of.difference(statistic, rule)
            row |= {name: d.value, f"{name}_low": d.low, f"{name}_high": d.high}
        for place, short in (("each strategy", "each"), ("whole portfolio", "whole")):
            d = answer.difference("sharpe", rule, place, "")
            row |= {f"{short}_none": d.value, f"{short}_none_low": d.low, f"{short}_none_high": d.high,
                    f"exits_{short}": int(stops[rule, place])}
        rows.append({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()})
    return rows


def from_decisions(study: Study, delay: int = 0, to_others: bool = False, bps: float = 10.0) -> pd.Series:
    "A study's returns from its decisions: later, at other costs, or what a stopped strategy frees to the others."
    path, market = study.decisions, study.market
    x = path.pool * path.by_strategy
    if to_others:
        kept, full = x.sum(axis=1, keepdims=True), path.pool.sum(axis=1, keepdims=True)
        x = np.divide(x * full, kept, out=np.zeros_like(x), where=kept > 1e-12)
    wanted = np.vstack([np.zeros((1 + delay, x.shape[1])), x * path.by_portfolio[:, None]])[:len(x)]
    returns, cash = study.policy.sleeve_returns(market).to_numpy(), market.cash_returns.to_numpy()
    held, rest = wanted[:-1], 1 - wanted[:-1].sum(axis=1)
    net = (held * returns).sum(axis=1) + rest * cash
    drifted = held * (1 + returns) / (1 + net)[:, None]
    net -= np.abs(wanted[1:] - drifted).sum(axis=1) * bps / 1e4
    return pd.Series(net, market.dates[1:])


def variants(s: StudySet, answer: PlacementStudy) -> list[dict]:
    "Whole less each in Sharpe ratio and worst loss where something else is different."
    ways = {"as it is": {}, "a bar later": dict(delay=1), "25 bps": dict(bps=25.0), "to the others": dict(to_others=True)}
    rows, since, cash = [], answer.returns.index, s.market.cash_returns.loc[answer.returns.index]
    for rule in answer.rules:
        for way, how in ways.items():
            pair = pd.DataFrame({place: from_decisions(answer.comparison[rule, place], **how).loc[since]
                                 for place in ("each strategy", "whole portfolio")})
            m = evaluate(pair, ["sharpe", "max_drawdown"], cash=cash)
            rows.append({"set": s.name, "rule": rule, "way": way, "each_sharpe": m.sharpe.iloc[0], "each_loss": m.max_drawdown.iloc[0],
                         "sharpe": m.sharpe.iloc[1] - m.sharpe.iloc[0], "loss": m.max_drawdown.iloc[1] - m.max_drawdown.iloc[0]})
    return [{k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def offsets(s: StudySet, days: tuple = (5, 10, 15)) -> list[dict]:
    "The same with the rebalancing on other days of the month; nothing to shift where a bar is a month."
    if s.market.per_year < 50: return []
    rows = []
    for k in days:
        moved = s._replace(policy=replace(s.policy, rebalance=s.policy.rebalance.shifted(k)))
        a = study_placements(moved.policy, [*s.rules.values()], s.market, resamples=1, progress=False)
        same = a.at_equal("volatility")
        rows += [{"set": s.name, "rule": rule, "way": f"{k} days later", "sharpe": round(a.difference("sharpe", rule).value, 5),
                  "loss": round(same.difference("max_drawdown", rule).value, 5)} for rule in a.rules]
    return rows


def try_on(s: StudySet) -> None:
    "Run a set, write what came out."
    answer = tried(s)
    write(arms(s, answer), "placement_arms", ["set", "rule", "place"])
    write(differences(s, answer), "placement_differences", ["set", "rule"])
    write(variants(s, answer), "placement_variants", ["set", "rule", "way"])
    if s.returns.shape[1] < 10 and (moved := offsets(s)): write(moved, "placement_variants", ["set", "rule", "way"])
    for row in differences(s, answer):
        print(f"{s.name}, {row['rule']}: whole less each in Sharpe ratio {row['sharpe']:+.2f} [{row['sharpe_low']:+.2f}, "
              f"{row['sharpe_high']:+.2f}], in worst loss at the same volatility {100 * row['loss']:+.1f} points "
              f"[{100 * row['loss_low']:+.1f}, {100 * row['loss_high']:+.1f}], {row['exits_each']} and "
              f"{row['exits_whole']} exits", flush=True)


def main(what: str, folder: str | None) -> None:
    for name, make in study_sets(folder).items():
        if what == "try":
            try_on(make())
            continue
        rows = predictions(make())
        write(rows, "placement_predictions", ["set", "rule"])
        for r in rows:
            print(f"{name}, {r['rule']}: correlation {r['correlation']:.2f}, own {r['own']:+.2f} ± {r['own_error']:.2f}, "
                  f"common {r['common']:+.2f}; Sharpe ratio {r['sharpe']:+.3f}, {r['sharpe_winner']}; worst loss "
                  f"{100 * r['loss']:+.1f} points, {r['loss_winner']}", flush=True)


if __name__ == "__main__": main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
