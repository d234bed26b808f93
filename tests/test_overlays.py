"Overlays that remember decide the same in one run and night after night, also through a book"
import json

from functools import partial

import numpy as np
import pandas as pd
import pytest

from portfolio_research import (
    Book, Crossover, Diversify, EqualWeight, Fragility, InverseVolatility, Limits, LowVolatility, Mandate,
    Market, MatchRegime, MaxDrawdownStop, Momentum, Monitor, Monthly, Optimize, Policy, Rebalance, Reversion,
    StatisticalRegime, StressLimit, TradeLimits, Trailing, Weekly, both, concentration, load_market,
    per_strategy, walk_forward)
from portfolio_research.management.strategies import FunctionStrategy

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

TRADED = [*SLEEVES, Reversion()]
EVERYTHING = {
    "assets": Policy(Optimize("maximize sharpe", Trailing("6M"), max_weight=.4), Weekly(), overlays=[
        Fragility(.3, on="both", window="6M"),
        Diversify(min_diversification=1.5, max_correlation=.6, window="3M"),
        TradeLimits(max_allocation="40%", max_open=6, max_per_week=6), StressLimit("60%"),
        Limits(asset="25%", sector="50%", cluster="40%", top5="90%", net=("0%", "100%"), passive="sell",
               cure="30D", remainder="cash")], risk=MaxDrawdownStop("6%")),
    "strategies": Policy(InverseVolatility("3M"), Weekly(), sleeves=TRADED, overlays=[
        MatchRegime(StatisticalRegime("3M")), Monitor(STRICT),
        TradeLimits(max_allocation="35%", max_open=4, max_per_week=8),
        Limits(asset="18%", sector="60%", remainder="cash")], risk=both(MaxDrawdownStop("8%")))}

@pytest.mark.parametrize("name", EVERYTHING)
def test_all_overlays_and_rules_through_a_book(name, tmp_path):
    policy, nights = EVERYTHING[name], 8
    run, book = policy.review(MARKET).path, Book(tmp_path / "book.db", policy)
    acted = {stage for e in run.events for (_, a), (stage, b) in zip(e.stages[:-1], e.stages[1:], strict=True)
             if np.abs(a - b).sum() > 1e-9}
    assert len(acted) >= 3, acted
    assert min(np.min(run.by_portfolio), np.min(run.by_strategy)) < 1                      # a rule fires
    book.review(MARKET.until(MARKET.dates[-nights - 1]))
    for t in MARKET.dates[-nights:]: assert book.review(MARKET.until(t)) == run[t], t
    assert book.replay().empty

def test_a_year_of_nights_is_the_study(tmp_path):
    "Limits and monitors on four strategies, reviewed by a book each day of a year."
    policy = Policy(InverseVolatility("3M"), Weekly(), sleeves=TRADED, overlays=[
        Monitor(STRICT), TradeLimits(max_allocation="30%", max_open=4, max_per_week=8),
        Limits(asset="20%", sector="60%", remainder="cash")], risk=per_strategy(MaxDrawdownStop("10%")))
    study = walk_forward(policy, MARKET)
    nights, book = MARKET.dates[-252:], Book(tmp_path / "book.db", policy)
    book.review(MARKET.until(MARKET.dates[-253]))
    for t in nights: assert book.review(MARKET.until(t)) == study.decisions[t], t
    states = {f.text.split(": ")[1].split(" ")[0] for e in study.decisions.events for f in e.flags
              if f.source.startswith("Monitor") and ": " in f.text}
    assert {"reduce", "suspend"} <= states
    lived = concentration(book, market=MARKET)
    begun = study.market.dates[-253]
    both_ = concentration(study)
    kept = both_[~(both_.cleared < begun)].reset_index(drop=True)
    assert lived.drop(columns="worst").equals(kept.drop(columns="worst"))

def test_capital_is_lost_and_earned_back():
    "A strategy that loses for a year is suspended; when it earns again, its weight comes back."
    rng, T = np.random.default_rng(2), 252 * 6
    drift = np.r_[np.full(378, .6), np.full(252, -2.5), np.full(T - 630, 2.5)] / 252 * .1
    broken = drift + rng.normal(0, .1 / 252 ** .5, T)
    sound = .6 / 252 * .1 + rng.normal(0, .1 / 252 ** .5, T)
    dates = pd.bdate_range("2010-01-01", periods=T)
    market = Market.from_returns(pd.DataFrame({"broken": broken, "sound": sound}, dates))
    one = [FunctionStrategy(partial(_only, name=name), name=name) for name in ("broken", "sound")]
    policy = Policy(EqualWeight(), Monthly(), sleeves=one, overlays=[
        Monitor(Mandate("sharpe >= 0", false_alarm="1 per 10Y"))])
    path = policy.review(market).path
    events = [e for e in path.events if e.status == "optimal"]
    weight = pd.Series([e.stages[-1][1][0] for e in events], [e.as_of for e in events])
    out = weight[weight == 0]
    assert len(out) and dates[378] < out.index[0] < dates[630 + 60]             # in the bad year
    assert weight.iloc[0] == .5 and weight.iloc[-1] == .5 and weight[out.index[-1]:].max() == .5
    said = [f.text for e in path.events for f in e.flags if f.text.startswith("broken: ")]
    assert any("-> suspend" in text for text in said) and any("suspend -> " in text for text in said)

def _only(market, name):
    return pd.DataFrame({a: [float(a == name)] + [np.nan] * (len(market.dates) - 1) for a in market.assets},
                        market.dates)
