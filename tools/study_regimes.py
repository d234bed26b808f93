"""Try regime detectors on return streams: `python tools/study_regimes.py [FOLDER]` writes
nbs/studies/results/regimes_*.csv, with the sets of FOLDER beside the embedded one"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from portfolio_research import StatisticalRegime, load_market
from portfolio_research.data.market import Market
from portfolio_research.experiments.trial_ledger import digest
from portfolio_research.management.horizon_regimes import HorizonRegime, TwoSpeed
from portfolio_research.validation.bootstrap import bootstrap_table

OUT = Path(__file__).parents[1] / "nbs" / "studies" / "results"
LOWS = {"2009": "2009-03-10", "2020": "2020-03-24"}  # the day after each low


def one_market(returns: pd.Series) -> Market:
    "A market of one stream."
    return Market.from_returns(returns.rename("index").to_frame())


def two_speed(returns: pd.Series, cash: pd.Series, ahead: int = 21) -> dict:
    "What the test of the two-speed detector asks."
    label = TwoSpeed().labels(one_market(returns)).reindex(returns.index).iloc[252:]
    excess = returns - cash
    after = excess.rolling(ahead).mean().shift(-ahead - 1).reindex(label.index) * 252
    bear = label == "bear"
    entered = label.index[bear & ~bear.shift(fill_value=False)]
    row = {"bear_days": bear.mean(), "next_month_bear": after[bear].mean(), "next_month_other": after[~bear].mean()}
    for year, low in LOWS.items():
        until = pd.Timestamp(low) + pd.DateOffset(months=6)
        row[f"sold_{year}"] = int(((entered >= low) & (entered <= until)).sum()) if label.index[-1] > until else -1
        held = (~bear).astype(float).shift(2, fill_value=1.0)[low:until]
        whole, kept = ((1 + h * returns.reindex(held.index)).prod() - 1 for h in (1.0, held))
        row[f"rebound_kept_{year}"] = kept / whole
    return row


def crossover(returns: pd.Series) -> pd.DataFrame:
    "Annual mean and days of a 20/100 crossover, long or short, by the label as of two bars before."
    wealth = (1 + returns).cumprod()
    follows = np.sign(wealth.rolling(20).mean() - wealth.rolling(100).mean()).shift(2) * returns
    rows = {}
    for name, detector in (("days", StatisticalRegime()), ("months", HorizonRegime())):
        label = detector.labels(one_market(returns)).reindex(returns.index).shift(2)
        label = label[HorizonRegime().explain(one_market(returns)).why.reindex(returns.index).str.endswith("returns").eq(False)]
        for regime in ("trending", "transitional", "mean_reverting"):
            x = follows.reindex(label.index)[label == regime]
            rows[name, regime] = (x.mean() * 252 if len(x) else np.nan, len(x))
    return pd.DataFrame.from_dict(rows, "index", columns=["mean", "days"])


def per_sleeve(returns: pd.DataFrame, cash: pd.Series, cost: float = .001) -> dict:
    "Out of bear markets by each stream's own label, by one label for all, and not at all."
    whole = TwoSpeed().labels(one_market(returns.mean(axis=1))).reindex(returns.index) == "bear"
    own = pd.DataFrame({name: TwoSpeed(of=name).labels(Market.from_returns(returns)).reindex(returns.index) == "bear"
                        for name in returns})
    def net(out: pd.DataFrame) -> pd.Series:
        held = 1.0 - out.astype(float).shift(2).fillna(0.0)
        moved = held.diff().abs().fillna(0.0)
        return (held * returns + (1 - held).mul(cash, axis=0) - cost * moved).mean(axis=1)
    arms = pd.DataFrame({"none": net(0 * own), "one": net(own.apply(lambda _: whole)), "own": net(own)}).sub(cash, axis=0)
    found = bootstrap_table(arms[["one", "own"]], "one", ("sharpe",), n=1000).iloc[0, 0]
    sharpe = arms.mean() / arms.std() * 252 ** .5
    return {"sharpe_none": sharpe["none"], "sharpe_one": sharpe["one"], "sharpe_own": sharpe["own"],
            "own_less_one": found.value, "low": found.low, "high": found.high}


def streams(folder: Path | None) -> tuple[dict, dict]:
    "Indices and tables of sleeves, each with cash."
    market = load_market()
    index, zero = market.benchmark_returns.dropna(), lambda r: pd.Series(0.0, r.index)
    indices = {"embedded: S&P 500, price": (index, zero(index))}
    tables = {"embedded: 20 companies": (market.returns, zero(market.returns))}
    if folder is None: return indices, tables
    from study_rules import shared
    them = shared(folder)
    for name in ("sp500: 1990-2023", "ndx: 1985-2024", "etf37: IWM", "etf37: EFA", "etf37: EEM"): indices[name] = them[name]
    indices["sp500: 1927-1989"] = them["sp500: 1927-1989"]
    industries = pd.concat({n: r for n, (r, _) in them.items() if n.startswith("ff12")}, axis=1)
    tables["ff12: 1926-1989"] = (industries[:"1989"], them["ff12: Utils"][1][:"1989"])
    tables["ff12: 1990-2017"] = (industries["1990":], them["ff12: Utils"][1]["1990":])
    funds = pd.concat({n: r for n, (r, _) in them.items() if n.startswith("etf37")}, axis=1).dropna()
    tables["etf37: 11 asset classes"] = (funds, them["etf37: SPY"][1].reindex(funds.index).fillna(0))
    return indices, tables


if __name__ == "__main__":
    indices, tables = streams(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    name = lambda key, data: (key, digest(data)[:8])
    OUT.mkdir(exist_ok=True)
    kept = {"two_speed": pd.DataFrame({name(k, r): two_speed(r, c) for k, (r, c) in indices.items()}).T,
            "crossover": pd.concat({name(k, r): crossover(r) for k, (r, _) in indices.items()}),
            "per_sleeve": pd.DataFrame({name(k, r): per_sleeve(r, c) for k, (r, c) in tables.items()}).T}
    for what, table in kept.items():
        table.index.names = ["set", "data", "detector", "label"][:table.index.nlevels]
        print(table.round(3).to_string(), flush=True)
        table.round(4).to_csv(OUT / f"regimes_{what}.csv", lineterminator="\n")
