"""A book that trades a year in whole shares, with fees, taxes and fills from files: cash right to the cent.
The ledger here is written anew, from the files alone, in decimals, and shares no code with the book's"""
import csv
import io
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest

from portfolio_research.data.market import Market
from portfolio_research.data.sources import load_market
from portfolio_research.execution.costs import Costs
from portfolio_research.execution.orders import (DuplicateFillError, Fees, FillError, UnmatchedFillError,
    ib_basket)
from portfolio_research.execution.tax_lots import LotError, Taxes
from portfolio_research.execution.triggers import DriftBand, Monthly, WhenFlow
from portfolio_research.live.book import Book
from portfolio_research.live.positions import HoldingsError
from portfolio_research.live.share_account import OversoldError, WholeShares
from portfolio_research.management.strategies import Crossover, Momentum
from portfolio_research.optimization.allocators import EqualWeight, InverseVolatility
from portfolio_research.policy.policy import Policy
from portfolio_research.risk.placement import both
from portfolio_research.risk.stop_loss import MaxDrawdownStop

DAILY = load_market().select(["KO", "XOM", "JPM", "MSFT", "WMT"]).until("1992-05-29")
MARKET = Market.from_prices(DAILY.prices.resample("W-FRI").last())        # a review a week
POLICY = Policy(InverseVolatility("6M", max_weight=.4), Monthly() | DriftBand("5%"))
FEES, TAXES = Fees(per_order=1.0, rate="5bps"), Taxes("fifo", short="37%", long="20%")
SHARES = WholeShares(lots=10, fees=FEES, reserve=200)
DAYS = MARKET.dates[MARKET.dates >= "1991-03-29"]
HEAD = "fill,decision,symbol,side,quantity,price,fee,date\n"
cent = lambda x: x.quantize(Decimal("0.01"), ROUND_HALF_UP)

def broker(basket, day, rng, folder):
    "Reads the broker's file, fills what it says at the close of a day in one or two parts, writes files."
    rows = list(csv.DictReader(io.StringIO(basket)))
    files, parts = [], [[], []]
    for i, row in enumerate(rows):
        whole, close = int(row["Quantity"]), MARKET.prices.loc[day, row["Symbol"]]
        price = Decimal(str(round(close * (1 + rng.normal(0, .001)), 4)))
        cut = whole // 3 if whole > 30 and rng.random() < .5 else 0
        for part, n in enumerate(filter(None, (whole - cut, cut))):
            fee = cent(Decimal("1" if part == 0 else "0") + Decimal("0.0005") * n * price)
            parts[part].append(f"{day.date()}-{i}-{part},{row['BasketTag']},{row['Symbol']},"
                               f"{'BOT' if row['Action'] == 'BUY' else 'SLD'},"
                               f"{n},{price},{fee},{day.date()}\n")
    for part, lines in enumerate(parts):
        if not lines: continue
        files.append(folder / f"{day.date()}-{part}.csv")
        files[-1].write_text(HEAD + "".join(lines))
    return files

class Plain:
    "An account kept by somebody who has the files, and nothing else."
    def __init__(self, cash): self.cash, self.units, self.trades = Decimal(cash), defaultdict(Decimal), []
    def read(self, file):
        for row in csv.DictReader(open(file)):
            n, price, fee = (Decimal(row[k]) for k in ("quantity", "price", "fee"))
            sells = row["side"] == "SLD"
            money = n * price - fee if sells else n * price + fee
            self.cash += money if sells else -money
            self.units[row["symbol"]] += -n if sells else n
            self.trades.append((date.fromisoformat(row["date"]), sells, -price, row["symbol"], n, money))
    def gains(self, year):
        "Short and long gains of a year: first in, first out; of one day the dearest, purchases first."
        lots, gains = defaultdict(list), [Decimal(0), Decimal(0)]
        for when, sells, _, name, n, money in sorted(self.trades):
            if not sells: lots[name].append([when, n, money])
            while sells and n:
                lot = min(lots[name], key=lambda x: (x[0], -x[2] / x[1]))
                take = min(n, lot[1])
                basis, gets = lot[2] * take / lot[1], money * take / n
                if when.year == year: gains[when > lot[0].replace(year=lot[0].year + 1)] += gets - basis
                lot[1], lot[2], n, money = lot[1] - take, lot[2] - basis, n - take, money - gets
                if not lot[1]: lots[name].remove(lot)
        return gains
    def tax(self, year):
        s, g = self.gains(year)
        if s < 0 < g: s, g = Decimal(0), max(s + g, Decimal(0))
        elif g < 0 < s: s, g = max(s + g, Decimal(0)), Decimal(0)
        return cent(max(s, 0) * Decimal("0.37") + max(g, 0) * Decimal("0.20"))

@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    "A year and two months, with new processes in between; the broker fills at the next close."
    folder, rng = tmp_path_factory.mktemp("book"), np.random.default_rng(7)
    book, mine, waiting, files = None, Plain("100000"), None, []
    for i, day in enumerate(DAYS):
        if waiting is not None:
            for file in broker(waiting, day, rng, folder):
                book.fill(file)
                mine.read(file)
                files.append(file)
        if i % 10 == 0:
            book = Book(folder / "year.db", POLICY, capital=None if i else 100_000, shares=SHARES,
                        taxes=TAXES)
        if i in (12, 24, 36):
            book.flow(day, 2500.50, "savings")
            mine.cash += Decimal("2500.5")
        if i == 30:
            book.flow(day, -7000.0, "a car")
            mine.cash -= 7000
        if i % 13 == 12:
            book.entry(day, "123.45", "dividend", f"of bar {i}")
            mine.cash += Decimal("123.45")
        if str(day.date()) == "1992-01-17":
            due = mine.tax(1991)
            assert book.pay_tax(1991, day) == due > 0
            mine.cash -= due
        made = book.review(MARKET.until(day))
        waiting = None if book.basket is None else ib_basket(book.orders(made.id))
        assert book.account().cash == mine.cash, day
    return folder, book, mine, files

def test_a_year_in_whole_shares_is_right_to_the_cent(lived):
    folder, book, mine, files = lived
    account = book.account()
    assert account.cash == mine.cash and account.cash == cent(account.cash * 10_000) / 10_000
    assert account.units == {name: n for name, n in mine.units.items() if n}
    ordered = book.executions().reset_index()
    assert ordered.decision.nunique() >= 12 and len(files) >= 12
    assert all(u == int(u) for u in account.units.values()) and account.cash > 0
    with book.store.reading() as ledger: baskets = ledger.rows("baskets")
    assert len(baskets) == ordered.decision.nunique()
    lots = book.lots()
    assert {y: lots.years.tax[y] for y in lots.years.index} == {y: mine.tax(y) for y in lots.years.index}
    book.reconcile(account.units, account.cash)

def test_it_decides_as_it_did(lived):
    folder, book, *_ = lived
    assert book.replay().empty and len(book.journal()) == len(DAYS)

def test_slippage_is_what_the_files_say(lived):
    folder, book, mine, files = lived
    table, paid = book.executions(), defaultdict(Decimal)
    prices = {id: book.orders(id).table.price for id in table.index.unique(level=0)}
    for file in files:
        for row in csv.DictReader(open(file)):
            decided = Decimal(repr(float(prices[row["decision"]][row["symbol"]])))
            sign = 1 if row["side"] == "BOT" else -1
            paid[row["decision"]] += sign * Decimal(row["quantity"]) * (Decimal(row["price"]) - decided)
    made = table.slippage.groupby(level=0).sum()
    assert {id: slip for id, slip in made.items() if id in paid} == dict(paid)
    # of the last evening, not filled yet
    assert set(made.index) - set(paid) <= {book.orders().id}
    assert (table.ordered == table.filled.astype(float)).all()

def test_the_value_that_it_kept_is_units_and_cash(lived):
    folder, book, *_ = lived
    wealth, account = book.wealth(), book.account()
    worth = float(account.value(MARKET.prices.loc[DAYS[-1]]))
    assert abs(wealth.value.iloc[-1] - worth) < 1e-6 and wealth.flow.sum() == 3 * 2500.5 - 7000
    assert abs(wealth.wealth.iloc[-1] * 100_000 - worth) > 500       # flows are no return

def test_limits_hold_in_whole_shares(lived):
    "No order leaves a name above the limit of its allocator, and none overdraws,."
    folder, book, *_ = lived
    for id in book.executions().index.unique(level=0):
        o = book.orders(id)
        left = float((o.shares * pd.Series(o.prices)).sum()) + o.cash
        assert o.cash >= 200 - 1e-9 or (o.table.side == "SELL").all()
        bought = o.table.index[o.table.side == "BUY"]
        assert (o.shares[bought] * pd.Series(o.prices)[bought] <= .4 * left * (1 + 1e-9)).all()

def test_fills_that_cannot_be(lived, tmp_path):
    folder, book, mine, files = lived
    first, copy = files[0], Book(book.backup(tmp_path / "copy.db"), POLICY, shares=SHARES, taxes=TAXES)
    before = copy.account()
    def said(error, text, **given):
        file = tmp_path / "fills.csv"
        file.write_text(HEAD + text)
        with pytest.raises(error) as raised: copy.fill(file, **given)
        assert copy.account().cash == before.cash and copy.account().units == before.units
        return str(raised.value)
    with pytest.raises(DuplicateFillError, match="was booked before"): copy.fill(first)
    assert copy.fill(first, skip_booked=True) == 0
    rows = list(csv.DictReader(open(first)))
    id, symbol = rows[0]["decision"], rows[0]["symbol"]
    assert "there twice" in said(DuplicateFillError, f"x,{id},KO,BUY,1,1,0,1992-05-01\n" * 2)
    assert "ordered nothing" in said(UnmatchedFillError, "x,nobody,KO,BUY,1,1,0,1992-05-01\n")
    assert "the order is a" in said(UnmatchedFillError, f"x,{id},{symbol},SLD,1,1,0,1992-05-01\n")
    assert "were ordered" in said(FillError, f"x,{id},{symbol},BOT,1,1,0,1992-05-01\n")
    assert "is of 'GM'" in said(UnmatchedFillError, f"x,{id},GM,BOT,1,1,0,1992-05-01\n")
    assert "before" in said(FillError, f"x,{id},{symbol},BOT,1,1,0,1980-05-01\n")
    name, units = next(iter(before.units.items()))
    with pytest.raises(LotError, match="add up to"): copy.reconcile(before.units | {name: units + 1})
    with pytest.raises(HoldingsError, match="cash is"): copy.reconcile(before.units, before.cash + 1)
    with pytest.raises(HoldingsError, match="knows what it holds"): copy.review(MARKET, holdings={"KO": .1})

def test_a_sale_of_more_than_is_held(tmp_path):
    "The same sale is ordered on two evenings, since no fill came; both are filled late."
    market, policy = DAILY.until("1990-03-30"), Policy(EqualWeight(), Monthly())
    book = Book(tmp_path / "b.db", policy, capital=10_000, shares=WholeShares(lots=10))
    book.review(market.until(market.dates[0]))
    fills_of = lambda o, tag, day: pd.DataFrame([(f"{tag}{i}", o.id, n, r.side, r.shares, r.price, 0, day)
        for i, (n, r) in enumerate(o.table.iterrows())], columns=HEAD.strip().split(","))
    book.fill(fills_of(book.orders(), "a", "1990-01-03"))
    book.flow("1990-01-10", -9_000.0, "all but a little")
    sales = []
    for day in market.dates[[7, 8]]:
        book.review(market.until(day))
        sales.append(book.orders())
    assert (sales[0].table.side == "SELL").all() and sales[0].id != sales[1].id and sales[0].cash >= 0
    book.fill(fills_of(sales[0], "b", "1990-01-12"))
    with pytest.raises(OversoldError, match="more than are held"):
        book.fill(fills_of(sales[1], "c", "1990-01-15"))
    assert book.account().cash >= 0

def test_a_flow_fires_in_a_book(tmp_path):
    policy = Policy(EqualWeight(), WhenFlow())
    book = Book(tmp_path / "b.db", policy, capital=10_000, shares=WholeShares(lots=10))
    for i, day in enumerate(DAILY.dates[:12]):
        if i == 8: book.flow(day, 500.0)
        made = book.review(DAILY.until(day))
        if i == 0: book.fill(pd.DataFrame([(f"a{k}", made.id, n, r.side, r.shares, r.price, 0, day)
            for k, (n, r) in enumerate(book.orders().table.iterrows())], columns=HEAD.strip().split(",")))
        if i == 8: assert "5.0" in made.reason or "flow" in made.reason
        assert ("flow:" in made.reason) == (i == 8), (i, made.reason)
    assert book.replay().empty

def test_a_book_with_money_counts_the_costs_that_a_study_counts(tmp_path):
    costly = Policy(InverseVolatility("6M"), Monthly(), sleeves=[Crossover(5, 20), Momentum("3M")],
                    risk=both(MaxDrawdownStop(.05)), costs=Costs(bps=10, fixed=25.0))
    book, some = Book(tmp_path / "b.db", costly, capital="10000", shares=SHARES), MARKET.dates[60:68]
    for t in some:
        decision = book.review(MARKET.until(t))
        study = costly.review(MARKET.until(t), capital=10_000)
        assert decision.path.shadow[-1] == study.path.shadow[-1] and not any(
            "not counted" in flag.text for flag in decision.flags)
        assert book.decision(decision.id).targets.equals(study.path[-1].targets)
    blind = costly.review(MARKET.until(some[-1]))
    assert (blind.path.shadow != study.path.shadow).any()              # the money makes a difference here
    assert book.replay().empty
    Book(tmp_path / "b.db").change(replace(costly, tolerance=.02), "a wider tolerance")
    after = Book(tmp_path / "b.db", replace(costly, tolerance=.02)).review(MARKET.until(MARKET.dates[68]))
    assert after.state["money"] == pytest.approx(
        costly.review(MARKET.until(MARKET.dates[68]), capital=10_000).state["money"], rel=1e-9)
    assert Book(tmp_path / "b.db", replace(costly, tolerance=.02)).replay().empty
