"""Try drawdown rules on return streams: `python tools/study_rules.py [FOLDER]` writes
nbs/studies/results/hmm_rule.csv, with the sets of FOLDER beside the embedded ones"""
import sys
from pathlib import Path

import pandas as pd

from portfolio_research import HMMRule, load_market
from portfolio_research.experiments.trial_ledger import digest

OUT = Path(__file__).parents[1] / "nbs" / "studies" / "results" / "hmm_rule.csv"
RULES = {"turbulent, one model": HMMRule(bad="turbulent", phases=1), "turbulent, phases": HMMRule(bad="turbulent"),
         "default": HMMRule()}
ASSETS = ("SPY", "IWM", "EFA", "EEM", "VNQ", "GLD", "DBC", "TLT", "IEF", "LQD", "HYG")


def embedded() -> dict:
    "Name -> returns and cash."
    market = load_market()
    streams = {"S&P 500, price": market.benchmark_returns, "20 companies, equal weights": market.returns.mean(axis=1)}
    streams |= {f"company {name}": market.returns[name] for name in market.assets}
    return {f"embedded: {name}": (r.dropna(), 0.0 * r.dropna()) for name, r in streams.items()}


def shared(folder: Path) -> dict:
    "Name -> returns and cash, of the sets that are not in the package."
    bills = pd.read_parquet(folder / "ff3_factors_daily.parquet")["RF"]
    wealth = pd.read_parquet(folder / "sp500_tr_daily_1885_2024.parquet").iloc[:, 0]
    sp500 = (1 + wealth.pct_change().dropna()) * 1.000945 ** (1 / 252) - 1
    streams = {"sp500: 1990-2023": sp500["1990":"2023"], "sp500: 1927-1989": sp500["1927":"1989"],
               "ndx: 1985-2024": pd.read_parquet(folder / "ndx_daily.parquet")["ret"].dropna()}
    industries = pd.read_parquet(folder / "ff12_industry_vw_daily_returns.parquet")
    streams |= {f"ff12: {name}": industries[name] for name in industries}
    streams = {name: (r, bills.reindex(r.index).ffill().fillna(0)) for name, r in streams.items()}
    funds = pd.read_parquet(folder / "etf37_total_return_daily.parquet")
    cash = funds["RF_3M_daily"].fillna(0)
    for name in ASSETS:
        returns = funds[name].dropna().pct_change().dropna()
        streams[f"etf37: {name}"] = (returns, cash[returns.index])
    return streams


def numbers(net: pd.Series, cash: pd.Series, per_year: float = 252) -> tuple:
    "Growth, Sharpe ratio and worst loss."
    wealth, excess = (1 + net).cumprod(), net - cash
    return (wealth.iloc[-1] ** (per_year / len(net)) - 1, excess.mean() / excess.std() * per_year ** .5,
            (1 - wealth / wealth.cummax().clip(lower=1)).max())


def tried(returns: pd.Series, cash: pd.Series) -> pd.DataFrame:
    "A row a rule: what it earned, and what the same mean exposure earned that was held all the time."
    rows = {"held": (*numbers(returns, cash), 1.0, *numbers(returns, cash))}
    for name, rule in RULES.items():
        held = rule.exposure(returns).shift(2, fill_value=1.0).mean()
        mixed = held * returns + (1 - held) * cash
        rows[name] = (*numbers(rule.apply(returns, 10, cash), cash), held, *numbers(mixed, cash))
    columns = ["growth", "sharpe", "worst_loss", "exposure", "mixed_growth", "mixed_sharpe", "mixed_worst_loss"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns)


if __name__ == "__main__":
    sets = embedded() | (shared(Path(sys.argv[1])) if len(sys.argv) > 1 else {})
    tables = {}
    for name, (returns, cash) in sets.items():
        tables[name, digest(returns)[:8], len(returns)] = tried(returns, cash)
        print(name, tables[name, digest(returns)[:8], len(returns)].round(3).to_string(), sep="\n", flush=True)
    table = pd.concat(tables, names=["set", "data", "bars", "rule"])
    OUT.parent.mkdir(exist_ok=True)
    table.round(4).to_csv(OUT, lineterminator="\n")
