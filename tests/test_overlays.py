"Overlays that remember decide the same in one run and night after night, also through a book"
import json

import numpy as np
import pytest

from portfolio_research import (
    Book, Crossover, Diversify, InverseVolatility, Limits, LowVolatility, Mandate, Momentum, Monitor, Monthly,
    Policy, Rebalance, TradeLimits, Weekly, load_market)

MARKET = load_market().select(["AAPL", "GE", "JPM", "KO", "MSFT", "PFE", "WMT", "XOM"]).until("1991-03-29")
SLEEVES = [Crossover(5, 20), Momentum("3M", 3, "1W"), LowVolatility("3M", 3)]
STRICT = Mandate(goal="sharpe >= 3", max_drawdown="5%", max_volatility="10%", false_alarm="1 per 10Y")
POLICIES = {
    "limits": Policy(InverseVolatility("3M"), Weekly(),
                     overlays=[Limits(asset="14%", sector="30%", remainder="cash")]),
    "limits that hold": Policy(InverseVolatility("3M"), Monthly(),
                               overlays=[Limits(asset="14%", passive="hold")]),
    "diversify": Policy(InverseVolatility("3M"), Monthly(), overlays=[
        Diversify(min_diversification=2, max_correlation=.6, cap="35%", window="3M")]),
    "limits per trade": Policy(InverseVolatility("3M"), Weekly(), overlays=[
        TradeLimits(max_allocation="20%", max_open=5, max_per_week=2)]),
    "monitor": Policy(InverseVolatility("3M"), Monthly(), sleeves=SLEEVES,
                      overlays=[Monitor({str(sleeve): STRICT for sleeve in SLEEVES})]),
    "several, in tranches": Policy(InverseVolatility("3M"), Rebalance(Monthly(), tranches=3), overlays=[
        TradeLimits(max_allocation="20%", max_open=6), Limits(asset="16%", remainder="cash")])}

@pytest.mark.parametrize("name", POLICIES)
def test_night_after_night(name):
    policy, n = POLICIES[name], len(MARKET.dates)
    run, state, k = policy.review(MARKET).path, None, 0
    for end in [150, 151, 200, *range(n - 8, n)]:
        part = policy.review(MARKET.until(MARKET.dates[end]), state=state)
        for i in range(len(part.path)): assert part.path[i] == run[k + i], part.path.dates[i]
        k, state = k + len(part.path), json.loads(json.dumps(part.state, allow_nan=False))
    changed = [e for e in run.events if np.abs(e.stages[-1][1] - e.stages[0][1]).sum() > 1e-6]
    assert changed and any(e.flags for e in changed)              # it acts, and says so

def test_through_a_book(tmp_path):
    policy = POLICIES["limits"]
    run, book = policy.review(MARKET).path, Book(tmp_path / "book.db", policy)
    first = len(MARKET.dates) - 15
    book.review(MARKET.until(MARKET.dates[first - 1]))
    for t in MARKET.dates[first:]: assert book.review(MARKET.until(t)) == run[t]
    assert book.replay().empty
    for event in run.events: assert event.stages[-1][1].max() <= .14 + 1e-9
