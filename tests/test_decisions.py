"""Decisions of twenty policies of all kinds stay what they were; `python tests/test_decisions.py` writes them
anew"""
from pathlib import Path

import numpy as np
import pytest

from portfolio_research import (CPPI, After, AutocorrelationRule, BlackLitterman, Consensus, Crossover,
                                DriftBand, EqualWeight,
    Expected, GrossmanZhou, HierarchicalEqualRisk, HierarchicalRiskParity, HMMRule, InverseVolatility,
                                JumpRegime, Kelly,
    LowVolatility, MatchRegime, MaxDrawdownStop, MaximumDiversification, MinimumVariance, Momentum, Monthly,
                                MovingAverageRule,
    NestedClusters, Optimize, Policy, Quarterly, Reversion, RiskParity, StatisticalRegime, Trailing,
                                VolatilityTarget, Weekly, both,
    load_market, per_strategy, whole_portfolio)

KEPT = Path(__file__).parent / "data" / "decisions.npz"
MARKET = load_market()
TWO_YEARS = Trailing("2Y")
SYSTEMS = [Crossover(20, 100), Momentum("6M"), Reversion("1M"), LowVolatility("1Y")]
CALM = Policy(MinimumVariance(), Monthly(), risk=MaxDrawdownStop(.1), name="calm")
VIEWS = {"KO": "9%", "XOM - CVX": "2%"}
POLICIES = {  # name -> policy, and the year in which the market ends
    "equal": (Policy(EqualWeight(), Quarterly() | DriftBand("25%", relative=True)), "1996"),
    "inverse volatility": (Policy(InverseVolatility("1Y", "8%"), Monthly() | DriftBand(.05),
                                  risk=MaxDrawdownStop(.15)), "2003"),
    "minimum variance": (Policy(MinimumVariance(TWO_YEARS, "20%")), "1996"),
    "risk parity by sector": (Policy(RiskParity(budgets="sector", max_weight="15%"),
                                     risk=VolatilityTarget(.10)), "1998"),
    "hierarchical risk parity": (Policy(HierarchicalRiskParity(), risk=MovingAverageRule(200)), "1998"),
    "hierarchical equal risk": (Policy(HierarchicalEqualRisk(clusters=4), Quarterly()), "1998"),
    "nested clusters": (Policy(NestedClusters(clusters=5), Quarterly()), "1998"),
    "maximum diversification": (Policy(MaximumDiversification(max_weight="20%")), "1998"),
    "kelly": (Policy(Kelly(TWO_YEARS), Quarterly()), "1996"),
    "sharpe": (Policy(Optimize("maximize sharpe subject to volatility <= 14%, beta <= 0.8, weight <= 20%",
                               TWO_YEARS),
                      Monthly() | DriftBand(.05), risk=MaxDrawdownStop(.15)), "1996"),
    "cvar": (Policy(Optimize("minimize cvar_95 subject to sector <= 30%, return >= 8%", TWO_YEARS),
                    Quarterly()), "1996"),
    "target on capm": (Policy(Optimize("target return = 8%", Expected.capm("5%")), Quarterly(),
                              risk=AutocorrelationRule(63)), "1998"),
    "drawdown": (Policy(Optimize("minimize max_drawdown subject to weight <= 25%", Trailing("1Y")),
                        Quarterly()), "1993"),
    "black litterman": (Policy(BlackLitterman(VIEWS), Quarterly(), risk=both(MovingAverageRule(100))),
                        "1998"),
    "turnover": (Policy(Optimize("minimize volatility subject to turnover <= 10%, holdings <= 8",
                                 Expected.shrunk()), Quarterly()), "1993"),
    "strategies, each": (Policy(InverseVolatility("1Y"), sleeves=SYSTEMS,
                                risk=per_strategy(MovingAverageRule(200))), "2003"),
    "strategies, both": (Policy(RiskParity(), sleeves=SYSTEMS,
                                risk=both(AutocorrelationRule(63), MaxDrawdownStop(.1, After("3M")))),
                         "2003"),
    "hidden Markov": (Policy(InverseVolatility("1Y"), sleeves=SYSTEMS,
                             risk=whole_portfolio(HMMRule(bad="turbulent", phases=1) & GrossmanZhou(.2))), "1996"),
    "regimes": (Policy(InverseVolatility("1Y"), sleeves=SYSTEMS,
                       overlays=[MatchRegime(Consensus([StatisticalRegime("9M"), JumpRegime()]))]), "1996"),
    "nested": (Policy(EqualWeight(), Weekly(), sleeves=[CALM, Momentum("6M")],
                      risk=.5 * MovingAverageRule(200) + .5 * CPPI(.8)), "1998")}
FITTED = ("kelly", "drawdown", "turnover", "hidden Markov", "regimes")  # searched, or fitted by iteration

def targets(name):
    "Every 50th row of a policy's targets, and the last."
    policy, until = POLICIES[name]
    rows = policy.review(MARKET.until(until)).path.targets
    return rows[np.append(np.arange(0, len(rows) - 1, 50), -1)]

@pytest.mark.parametrize("name", POLICIES)
def test_decisions_stay_what_they_were(name):
    with np.load(KEPT) as kept:
        np.testing.assert_allclose(targets(name), kept[name], rtol=0, atol=1e-6 if name in FITTED else 1e-9)

if __name__ == "__main__": np.savez_compressed(KEPT, **{name: targets(name) for name in POLICIES})
