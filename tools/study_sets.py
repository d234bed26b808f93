# ruff: noqa: E501
"""The sets of strategies on which a placement is tried: `python tools/study_sets.py FOLDER` lists them"""
import hashlib, sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from portfolio_research.data.market import Market
from portfolio_research.data.sources import load_market
from portfolio_research.management.strategies import Crossover, LowVolatility, Momentum
from portfolio_research.management.strategy_library import (BettingAgainstBeta, Donchian, LongShortMomentum,
    TimeSeriesMomentum)
from portfolio_research.optimization.allocators import InverseVolatility
from portfolio_research.policy.policy import Policy
from portfolio_research.risk.moving_average import MovingAverageRule
from portfolio_research.risk.stop_loss import MaxDrawdownStop
from portfolio_research.studies.placement_study import stream_policy

ETFS = ["SPY", "EFA", "EWJ", "IEF", "TLT", "LQD", "IYR", "GLD", "GSG"]


class StudySet(NamedTuple):
    "Strategies, and the market that they are in."
    name: str
    policy: Policy
    market: Market
    returns: pd.DataFrame  # (T, N) what the strategies earned, once all of them hold something
    cash: pd.Series        # (T,) returns of cash per bar

    @property
    def fingerprint(self) -> str:
        "Twelve digits of the data: another digit, another table."
        names = ",".join(map(str, self.market.assets)).encode()
        data = np.round(self.market.returns.to_numpy(), 12) + 0.0
        return hashlib.sha256(names + np.ascontiguousarray(data).tobytes()).hexdigest()[:12]
    @property
    def rules(self) -> dict:
        "The main arms: equal tightness, and a moving average; in the units of the set."
        window = 200 if self.market.per_year > 50 else "10M"
        return {"stop": MaxDrawdownStop("1.5 vol"), "average": MovingAverageRule(window)}


def systems(name: str, policy: Policy, market: Market) -> StudySet:
    "A set whose strategies are run here."
    earned = policy.sleeve_returns(market)
    start = max(earned.index[(earned[c] != 0).to_numpy().argmax()] for c in earned)
    earned = earned[earned.index > start]
    return StudySet(name, policy, market, earned, market.cash_returns.loc[earned.index])


def streams(name: str, table: pd.DataFrame, cash: pd.Series | float) -> StudySet:
    "A set of returns as they are."
    policy, market = stream_policy(table, cash)
    return StudySet(name, policy, market, market.returns, market.cash_returns)


def embedded() -> StudySet:
    sleeves = [Crossover(20, 100), Momentum("6M"), Donchian(55, 20), LowVolatility("1Y")]
    return systems("embedded", Policy(InverseVolatility("1Y"), sleeves=sleeves), load_market())


def embedded_long_short() -> StudySet:
    names = load_market().assets
    market = load_market(borrow_rates=dict.fromkeys(names, .005), debit_rate=.03)
    sleeves = [TimeSeriesMomentum("1Y", short=True), LongShortMomentum("1Y"),
               BettingAgainstBeta("3Y", short=True), LowVolatility("1Y")]
    return systems("embedded, long-short", Policy(InverseVolatility("1Y"), sleeves=sleeves), market)


def arch_markets() -> StudySet:
    import arch.data.nasdaq, arch.data.sp500, arch.data.wti
    stocks = {"S&P 500": arch.data.sp500.load()["Adj Close"], "Nasdaq": arch.data.nasdaq.load()["Adj Close"]}
    prices = pd.DataFrame(stocks | {"WTI": arch.data.wti.load()["DCOILWTICO"]}).dropna()
    sleeves = [Crossover(20, 100), Momentum("6M", top=1), Donchian(55, 20), LowVolatility("1Y", top=1)]
    policy = Policy(InverseVolatility("1Y"), sleeves=sleeves)
    return systems("2 indices and oil", policy, Market.from_prices(prices))


def _bills(folder: Path) -> pd.Series:
    return pd.read_parquet(folder / "ff3_factors_daily.parquet")["RF"]


def _monthly(returns: pd.DataFrame | pd.Series):
    return (1 + returns).resample("ME").prod() - 1


def _csv(folder: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(folder / name, index_col=0)
    return table.set_index(pd.to_datetime(table.index)).rename_axis(None)


def industries(folder: Path, monthly: bool = False) -> StudySet:
    table = pd.read_parquet(folder / "ff12_industry_vw_daily_returns.parquet")
    cash = _bills(folder).reindex(table.index).fillna(0.0)
    if monthly: table, cash = _monthly(table), _monthly(cash)
    return streams(f"12 industries, {'monthly' if monthly else 'daily'}", table, cash)


def ten_industries(folder: Path) -> StudySet:
    table = _csv(folder, "ff10_industry_vw_monthly.csv")
    cash = _monthly(_bills(folder)).reindex(table.index, method="nearest").fillna(0.0)
    return streams("10 industries, monthly", table, cash)


def funds(folder: Path, monthly: bool = False) -> StudySet:
    prices = pd.read_parquet(folder / "etf37_total_return_daily.parquet")
    table = prices[ETFS].dropna().pct_change().iloc[1:]
    cash = prices["RF_3M_daily"].loc[table.index]
    if monthly: table, cash = _monthly(table).iloc[1:-1], _monthly(cash).iloc[1:-1]
    return streams(f"9 funds, {'monthly' if monthly else 'daily'}", table, cash)


def managers(folder: Path) -> StudySet:
    table = _csv(folder, "managers_monthly.csv")
    names = ["HAM1", "HAM2", "HAM3", "HAM4", "EDHEC LS EQ", "US 10Y TR"]
    return streams("managers", table[names].dropna(), table["US 3m TR"].loc[table[names].dropna().index])


def hedge_funds(folder: Path) -> StudySet:
    return streams("edhec", _csv(folder, "edhec_152m.csv"), .03)


def study_sets(
    folder: str | Path | None,            # with the data; None: the sets that need none
) -> dict[str, Callable[[], StudySet]]:   # name -> what makes the set
    "All sets at hand."
    own = {"embedded": embedded, "embedded, long-short": embedded_long_short, "2 indices and oil": arch_markets}
    if folder is None: return own
    at = Path(folder)
    return own | {"12 industries, daily": lambda: industries(at), "12 industries, monthly": lambda: industries(at, True),
                  "10 industries, monthly": lambda: ten_industries(at), "9 funds, daily": lambda: funds(at),
                  "9 funds, monthly": lambda: funds(at, True), "managers": lambda: managers(at),
                  "edhec": lambda: hedge_funds(at)}


if __name__ == "__main__":
    for make in study_sets(sys.argv[1] if len(sys.argv) > 1 else None).values():
        s = make()
        rho = s.returns.corr().to_numpy()[np.triu_indices(s.returns.shape[1], 1)].mean()
        print(f"{s.name}: {s.returns.shape[1]} strategies, {s.returns.index[0].date()} to "
              f"{s.returns.index[-1].date()}, {s.market.per_year:g} bars a year, correlation {rho:.2f}, "
              f"cash {s.cash.mean() * s.market.per_year:.1%}, {s.fingerprint}", flush=True)
